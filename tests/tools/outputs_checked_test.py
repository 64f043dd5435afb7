"""Where a program writes is checked before its work, and its folder made.

The work is replaced by an error: what is told must come before it.
"""

import re

import numpy as np
import pytest

from finetuning import features, features_config
from finetuning.answering import Answerer
from interop import formats, hugging_face
from tests import tiny
from tests.finetuning import trained
from tests.interop import berts
from text import vocab_builder
from tools import (
    average_checkpoints,
    build_vocab,
    conversion,
    convert_checkpoint,
    extend_vocab,
    inspect_records,
    predict,
    vocab_building,
    vocab_extension,
)
from tools.inspection import files as inspected_files
from tools.inspection import inspecting
from training import checkpoint


class WorkBeganError(Exception):
    """Raised by what a tool works with."""


def _average(directory, output):
    return average_checkpoints.average(
        average_checkpoints.AverageConfig(
            model_dir=str(directory / "run"), output_file=output, last=1
        )
    )


def _build_vocab(directory, output):
    return vocab_building.build(
        build_vocab.VocabConfig(
            input_file=str(directory / "texts.txt"),
            output_file=output,
            min_count=1,
            overwrite=True,
        )
    )


def _inspect(directory, output):
    config = inspect_records.InspectConfig(html=output)
    return inspecting.run([str(directory / "a.tfrecord")], config)


def _predict(directory, output):
    return predict.run(
        predict.PredictConfig(
            model_dir=str(directory / "classes"),
            input_file=str(directory / "rows.jsonl"),
            output_file=output,
        )
    )


def _features(directory, output):
    return features.run(
        features_config.FeaturesConfig(
            input_file=str(directory / "texts.txt"),
            output_file=output,
            bert_config_file=str(directory / "model/config.json"),
            vocab_file=str(directory / "model/vocab.txt"),
            init_checkpoint=str(directory / "model"),
            max_seq_length=16,
            layers="-1",
        )
    )


def _convert(directory, output):
    return conversion.convert(
        convert_checkpoint.ConvertConfig(
            from_=str(directory / "model"), to="tf1", output_dir=output
        )
    )


def _extend(directory, output):
    return vocab_extension.extend(
        extend_vocab.ExtendConfig(
            init_checkpoint=str(directory / "model"),
            bert_config_file=str(directory / "model/config.json"),
            vocab_file=str(directory / "model/vocab.txt"),
            words_file=str(directory / "texts.txt"),
            output_dir=output,
        )
    )


def _train(program):
    return lambda directory, output: trained.run(
        program, directory, "", output_dir=output, do_train=True
    )


# {name: (what runs it, its flag, what is replaced)}
_PROGRAMS = {
    "average": (_average, "output_file", (average_checkpoints, "_mean")),
    "build_vocab": (_build_vocab, "output_file", (vocab_builder, "count")),
    "inspect_records": (_inspect, "html", (inspected_files, "inspect")),
    "predict": (_predict, "output_file", (Answerer, "load")),
    "features": (_features, "output_file", (features, "Predictor")),
    "convert": (_convert, "output_dir", (formats, "read")),
    "extend_vocab": (_extend, "output_dir", (formats, "read_weights")),
} | {
    program: (_train(program), "output_dir", (made, "read"))
    for program, made in (
        (program, trained.task_of(program)) for program in trained.PROGRAMS
    )
}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """What every one of them reads."""
    path = tmp_path_factory.mktemp("outputs")
    trained.write_inputs(path)
    (path / "texts.txt").write_text("w1 w2 newword\n")
    hugging_face.export(str(path / "model"), berts.bert())
    tiny.write_records(path / "a.tfrecord", 3)
    checkpoint.write(
        str(path / "run/model.ckpt-1"), {"bert/x": np.ones(3, np.float32)}
    )
    trained.run(trained.CLASSIFIER, path, "classes", do_train=True)
    return path


@pytest.mark.parametrize("name", _PROGRAMS)
def test_what_cannot_be_written_is_told_before_the_work(
    directory, tmp_path, monkeypatch, name
):
    run, flag, work = _PROGRAMS[name]

    def begin(*_, **__):
        raise WorkBeganError

    monkeypatch.setattr(*work, begin)
    file = tmp_path / "file"
    file.write_text("kept")
    folder = tmp_path / "folder"
    folder.mkdir()
    # A file where a folder would have to be.
    with pytest.raises(ValueError, match=re.escape(f"--{flag}: {file}")):
        run(directory, str(file / "below" / "out"))
    if flag == "output_dir":
        wanted = f"--{flag}: {file}: File exists"
        place = file
    else:
        wanted = f"--{flag}={folder} is a folder; name a file"
        place = folder
    with pytest.raises(ValueError, match=re.escape(wanted)):
        run(directory, str(place))
    assert file.read_text() == "kept" and not list(folder.iterdir())
    # And what is replaced is indeed where its work begins.
    with pytest.raises(WorkBeganError):
        run(directory, str(tmp_path / "new" / "out"))
    assert [x.name for x in (tmp_path / "new").iterdir()] in ([], ["out"])


@pytest.mark.parametrize("name", _PROGRAMS)
def test_folders_that_are_missing_are_made(directory, tmp_path, name):
    run, flag, _ = _PROGRAMS[name]
    output = tmp_path / "a" / "b" / "out"
    run(directory, str(output))
    made = (
        list(output.iterdir())
        if flag == "output_dir"
        else list(output.parent.glob("out*"))
    )
    assert made and all(x.stat().st_size for x in made if x.is_file())


def test_a_device_is_written_to_as_it_is(directory):
    _predict(directory, "/dev/null")
    _features(directory, "/dev/null")
