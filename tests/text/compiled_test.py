"""Where compiled code is kept: nowhere that another user can write to."""

import os
import subprocess
import sys

import pytest

from tests import project
from text import compiled

PROGRAM = "from text import compiled; print(compiled._directory)"


def directory(tmp_path, **variables):
    """The folder that a program takes whose HOME cannot be written."""
    environment = project.environment() | {
        "TMPDIR": str(tmp_path),
        "HOME": "/proc/none",
        "XDG_CACHE_HOME": "/proc/none",
    }
    environment.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment | variables,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


@pytest.fixture
def base(tmp_path):
    return tmp_path / f"hanlin-cache-{os.getuid()}"


@pytest.mark.parametrize("package", ["text", "corpus", "data"])
def test_every_file_with_compiled_code_decides_on_the_folder(package):
    files = (project.ROOT / package).rglob("*.py")
    wanted = {path for path in files if "@njit" in path.read_text("utf-8")}
    assert wanted and wanted <= set(compiled.sources())


def test_a_folder_is_made_that_others_cannot_write(tmp_path, base):
    found, _ = directory(tmp_path)
    assert os.path.dirname(found) == str(base)
    for path in (base, found):
        assert os.stat(path).st_mode & 0o777 == 0o700
    assert directory(tmp_path)[0] == found


@pytest.mark.parametrize("kind", ["open to others", "a link", "a file"])
def test_a_folder_that_others_could_write_is_not_taken(tmp_path, base, kind):
    found, _ = directory(tmp_path)
    if kind == "open to others":
        os.chmod(found, 0o777)
    else:
        os.rename(found, tmp_path / "aside")
        (base / "x").mkdir()
        os.chmod(base / "x", 0o777)
        if kind == "a link":
            os.symlink(base / "x", found)
        else:
            open(found, "w").close()
    again, said = directory(tmp_path)
    assert again == "None"
    assert "by this user and by no other" in said


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_a_folder_of_another_user_is_not_taken(tmp_path, base):
    found, _ = directory(tmp_path)
    os.chown(found, 65534, 65534)
    assert directory(tmp_path)[0] == "None"
    os.chown(found, 0, 0)
    assert directory(tmp_path)[0] == found
    os.chown(base, 65534, 65534)
    assert directory(tmp_path)[0] == "None"


def test_a_folder_of_ours_is_closed_and_one_that_is_named_is_taken(
    tmp_path, base
):
    base.mkdir()
    os.chmod(base, 0o777)
    found, _ = directory(tmp_path)
    assert os.path.dirname(found) == str(base)
    assert os.stat(base).st_mode & 0o777 == 0o755
    named = tmp_path / "named"
    found, _ = directory(tmp_path, NUMBA_CACHE_DIR=str(named))
    assert os.path.dirname(found) == str(named)
