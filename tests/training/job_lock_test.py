"""One training at a time in a directory, however that is spelled."""

import os

import pytest

from storage import lock
from tests.pretraining import tiny_job
from training import job


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_second_training_in_a_directory_is_refused(
    tmp_path, monkeypatch, scheme
):
    folder = f"{scheme}{tmp_path}"
    # Of its own machine a process knows whether the holder lives: it is we.
    monkeypatch.setattr(lock, "_is_alive", lambda process: True)
    with job.hold(folder, True):
        assert os.listdir(tmp_path) == ["training.lock"]
        words = f"^{folder}/training is being done by process {os.getpid()} of"
        with (
            pytest.raises(BlockingIOError, match=words),
            job.hold(folder, True),
        ):
            pytest.fail("two trainings in one directory")
    assert os.listdir(tmp_path) == []
    with job.hold(folder, True):
        pass


def test_a_link_to_the_directory_is_the_directory(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "run")
    with (
        job.hold(f"{tmp_path}/run/", True),
        pytest.raises(BlockingIOError),
        job.hold(f"{tmp_path}/link", True),
    ):
        pytest.fail("two trainings in one directory")


def test_other_workers_of_a_training_are_let_in(tmp_path):
    with job.hold(str(tmp_path), True):
        for _ in range(2):
            with job.hold(str(tmp_path), False):
                assert os.listdir(tmp_path) == ["training.lock"]


def test_an_error_in_the_training_frees_the_directory(tmp_path):
    with pytest.raises(KeyError), job.hold(str(tmp_path), True):
        raise KeyError
    assert os.listdir(tmp_path) == []


def test_a_pretraining_beside_another_writes_nothing(tmp_path, monkeypatch):
    tiny_job.write_inputs(tmp_path)
    (tmp_path / "out").mkdir()
    monkeypatch.setattr(
        job, "train", lambda *args, **more: pytest.fail("it trains")
    )
    with (
        job.hold(f"{tmp_path}/out", True),
        pytest.raises(BlockingIOError, match="out/training is being done by"),
    ):
        tiny_job.run(tmp_path, "out")
    assert os.listdir(tmp_path / "out") == []
