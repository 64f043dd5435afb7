"""A directory of one program is refused by the others, with its owner's name.

No program may score another's weights, or go on training from them.
"""

import dataclasses
import re
import shutil

import pytest

from pretraining import train as pretraining
from tests.finetuning import trained
from tools import predict
from training import run_settings

_PRETRAINING = "run_pretraining.py"


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A training of each program, in folders of their names."""
    path = tmp_path_factory.mktemp("programs")
    trained.write_inputs(path)
    for program in trained.PROGRAMS:
        trained.run(program, path, program, do_train=True)
    (path / _PRETRAINING).mkdir()
    run_settings.write(
        str(path / _PRETRAINING), {"program": pretraining.PROGRAM, "config": {}}
    )
    return path


def _files(folder):
    """{name: bytes} of what a training has left, but for rows kept again."""
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.is_file() and ".tf_record" not in path.name
    }


@pytest.mark.parametrize("does", ["do_eval", "do_predict", "do_train"])
@pytest.mark.parametrize("asking", trained.PROGRAMS)
@pytest.mark.parametrize("owner", [*trained.PROGRAMS, _PRETRAINING])
def test_the_error_says_whose_model_it_is(directory, owner, asking, does):
    before = _files(directory / owner)
    settings = {does: True}
    if owner == asking:
        # More epochs, as there would be nothing left to train.
        trained.run(asking, directory, owner, num_train_epochs=2.0, **settings)
        return
    place = f"--output_dir={directory / owner} holds a model of {owner}"
    wanted = f"{re.escape(place)}, .* and this is {asking}; give another"
    with pytest.raises(ValueError, match=wanted):
        trained.run(asking, directory, owner, **settings)
    assert _files(directory / owner) == before


def test_a_pretraining_answers_no_texts(directory):
    config = predict.PredictConfig(model_dir=str(directory / _PRETRAINING))
    with pytest.raises(ValueError, match="has no settings.json of a fine-tun"):
        predict.run(config)


@pytest.mark.parametrize("owner", trained.PROGRAMS)
@pytest.mark.parametrize("asking", trained.PROGRAMS)
def test_an_older_directory_that_names_no_program_ends_in_no_traceback(
    directory, tmp_path, owner, asking
):
    if owner == asking:
        return
    folder = tmp_path / "output"
    shutil.copytree(directory / owner, folder)
    stated = run_settings.read(str(folder))
    del stated["program"]
    run_settings.write(str(folder), stated)
    config = trained.config_of(asking, directory, "", do_eval=True)
    config = dataclasses.replace(config, output_dir=str(folder))
    wanted = "settings.json: settings has no|it is of another model"
    with pytest.raises(ValueError, match=wanted):
        trained.run_config(asking, config)
