"""What is no news is left out of standard error, and nothing else."""

import subprocess
import sys
import textwrap

import pytest

from tests import project

_NOISE = (
    "WARNING: All log messages before absl::InitializeLog() is called are "
    "written to STDERR\n"
    "I0000 00:00:1.1    1 port.cc:153] oneDNN custom operations are on.\n"
)
_NEWS = "E0000 00:00:1.1    1 gpu.cc:1] out of memory\nno log at all\n"
_PROGRAM = """
import os, sys, warnings
from absl import app, logging
from storage import tensorflow_start

def main(argv):
    with tensorflow_start.quiet():
        import tensorflow
    {after}

app.run(main)
"""


@pytest.fixture
def start(tmp_path):
    """Runs a program whose TensorFlow does what it is told."""

    def start(tensorflow, *flags, after="pass"):
        (tmp_path / "tensorflow.py").write_text(
            f"import os, sys, signal, warnings\n{textwrap.dedent(tensorflow)}"
        )
        program = tmp_path / "program.py"
        program.write_text(_PROGRAM.format(after=after))
        return subprocess.run(
            [sys.executable, str(program), *flags],
            env=project.environment()
            | {
                "PYTHONPATH": f"{tmp_path}:{project.ROOT}",
                "XDG_CACHE_HOME": str(tmp_path / "cache"),
            },
            capture_output=True,
            text=True,
            timeout=60,
        )

    return start


def says(text):
    return f"os.write(2, {text.encode()!r})\n"


def test_noise_is_left_out_and_news_are_not(start):
    done = start(says(_NOISE + _NEWS))
    assert done.returncode == 0
    assert done.stderr == _NEWS


def test_it_is_so_for_as_long_as_the_program_runs(start):
    after = f"os.write(2, {(_NOISE + _NEWS).encode()!r})"
    assert start("", after=after).stderr == _NEWS


def test_half_a_line_is_not_waited_for(start):
    done = start("", after="os.write(2, b'12 %'); import time; time.sleep(1)")
    assert done.stderr == "12 %"


def test_all_is_shown_where_it_is_asked_for(start):
    assert start(says(_NOISE), "--verbosity=1").stderr == _NOISE


def test_an_import_that_fails_shows_all_and_its_traceback(start):
    done = start(says(_NOISE) + "raise ImportError('no libcudart')")
    assert done.returncode == 1
    assert done.stderr.startswith(_NOISE)
    assert "ImportError: no libcudart" in done.stderr


@pytest.mark.parametrize("end", ["SIGSEGV", "SIGKILL", "SIGABRT"])
def test_a_crash_shows_all_that_was_said_before(start, end):
    done = start(says(_NOISE) + f"os.kill(os.getpid(), signal.{end})")
    assert done.returncode < 0
    assert done.stderr.startswith(_NOISE)


def test_pythons_own_warnings_are_shown(start):
    done = start("warnings.warn('of another version')")
    assert "of another version" in done.stderr


def test_a_program_that_this_one_starts_is_heard(start):
    after = "import subprocess; subprocess.run(['ls', '/nowhere'])"
    assert "/nowhere" in start("", after=after).stderr
