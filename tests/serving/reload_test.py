"""A model whose files change is read anew; one that is broken is left aside."""

import asyncio
import dataclasses
import shutil

import numpy as np
import pytest

from interop import hugging_face
from tests.finetuning import tiny_task
from tests.interop import berts
from tests.serving import served

served.skip_without_server()

from serving.service import Service  # noqa: E402

_PATIENCE_SECS = 200


def _write(path, scale):
    model = berts.bert()
    values = {name: scale * value for name, value in model.values.items()}
    hugging_face.export(
        str(path / "new"), dataclasses.replace(model, values=values)
    )
    shutil.copy(path / "vocab.txt", path / "new/vocab.txt")
    (path / "encoder").mkdir(exist_ok=True)
    for file in (path / "new").iterdir():
        file.replace(path / "encoder" / file.name)
    (path / "new").rmdir()


async def _vector(service):
    model = service.find(None, "embeddings")
    _, values = await service.answer(lambda: model.embed(["w1 w2"]))
    return values


def test_a_model_that_changes_and_one_that_breaks(tmp_path, caplog):
    tiny_task.write_inputs(tmp_path)
    _write(tmp_path, 1.0)
    config = dataclasses.replace(
        served.config(tmp_path, reload_secs=0.1),
        model_dir=str(tmp_path / "encoder"),
    )

    async def run():
        service = Service(config)
        await service.start()
        first_model, first = service.models["encoder"], await _vector(service)
        watch = asyncio.create_task(service.watch())
        _write(tmp_path, 0.5)
        async with asyncio.timeout(_PATIENCE_SECS):
            while service.models["encoder"] is first_model:
                # Answers go on, and are the old model's until the change.
                found = await _vector(service)
                if service.models["encoder"] is first_model:
                    np.testing.assert_array_equal(found, first)
        second = await _vector(service)
        assert np.abs(second - first).max() > 1e-3
        (tmp_path / "encoder/config.json").write_text("{")
        async with asyncio.timeout(_PATIENCE_SECS):
            while "cannot be read" not in caplog.text:
                await asyncio.sleep(0.05)
        np.testing.assert_array_equal(await _vector(service), second)
        watch.cancel()
        await asyncio.to_thread(service.stop)

    asyncio.run(run())
    assert "the model of before goes on" in caplog.text


def test_folders_are_named_and_missing_ones_told(tmp_path):
    for name in ("a/model", "b/model"):
        (tmp_path / name).mkdir(parents=True)
    both = f"{tmp_path}/a/model,{tmp_path}/b/model"
    config = served.config(tmp_path)
    named = dataclasses.replace(config, model_dir=both).directories()
    assert list(named) == ["model", "model-2"]
    x = dataclasses.replace(config, model_dir=f"x={tmp_path}/a/model")
    assert list(x.directories()) == ["x"]
    for wrong, words in (
        ("/nowhere", "no folder '/nowhere'"),
        (f"x={tmp_path}/a/model,x={tmp_path}/b/model", "x is given twice"),
        (",", "names no folder"),
    ):
        with pytest.raises(ValueError, match=words):
            dataclasses.replace(config, model_dir=wrong).directories()
