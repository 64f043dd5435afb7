"""--token_dropping: runs that go on bit for bit, and what is refused."""

import shutil

import numpy as np
import pytest

from pretraining import masked_lm
from tests import tiny
from tests.pretraining import tiny_job


@pytest.fixture
def job(tmp_path):
    tiny_job.write_inputs(tmp_path)
    shape = tiny.config(num_hidden_layers=3)
    (tmp_path / "bert.json").write_text(shape.to_json())
    return tmp_path


def test_a_run_goes_on_bit_for_bit(job):
    settings = {"token_dropping": 0.5, "save_checkpoints_steps": 4}
    tiny_job.run(job, "whole", **settings)
    shutil.copytree(job / "whole", job / "stopped")
    for path in (job / "stopped").glob("model.ckpt-8.*"):
        path.unlink()
    tiny_job.run(job, "stopped", **settings)
    wanted, found = (tiny_job.tensors(job / x, 8) for x in ("whole", "stopped"))
    assert wanted.keys() == found.keys()
    for name, value in wanted.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def test_an_evaluation_drops_nothing():
    batch = tiny.batch(4)
    shape = tiny.config(num_hidden_layers=3)
    found = [
        masked_lm.MaskedLm(
            shape, use_nsp=True, seed=1, token_dropping=share
        ).compute_terms(batch, None)
        for share in (0.0, 0.5)
    ]
    for name, term in found[0].items():
        assert float(found[1][name].numerator) == float(term.numerator)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"token_dropping": 1.0}, "--token_dropping must be"),
        (
            {"objective": "replaced_token"},
            "--token_dropping=0.5 has no effect with --objective=replaced",
        ),
    ],
)
def test_flags_that_do_not_fit_are_refused(job, changes, message):
    settings = {"token_dropping": 0.5, "use_nsp": False} | changes
    with pytest.raises(ValueError, match=message):
        tiny_job.run(job, "output", **settings)


def test_a_model_without_a_middle_is_refused(job):
    (job / "bert.json").write_text(tiny.config(num_hidden_layers=2).to_json())
    with pytest.raises(ValueError, match="2 layers, and none is in the middle"):
        tiny_job.run(job, "output", token_dropping=0.5)
