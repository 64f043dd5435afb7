"""Compilers for chips that are not there, each in an environment of its own."""

import json
import os
import pathlib
import subprocess
import tempfile
import venv
from collections.abc import Sequence

# The program uses private names of JAX, so no other version will do. It is the
# last JAX for Python 3.11.
JAX = ("jax==0.10.2", "jaxlib==0.10.2")
_PROGRAM = pathlib.Path(__file__).with_name("compiler_program.py")
_ERROR_CHARACTERS = 2000
_VARIABLES = {
    "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",
    "JAX_PLATFORMS": "cpu",
    # Else libtpu asks a server which TPU this machine is.
    "TPU_ACCELERATOR_TYPE": "v5litepod-4",
    "TPU_SKIP_MDS_QUERY": "1",
    "TPU_WORKER_HOSTNAMES": "localhost",
}


def install(
    name: str, packages: Sequence[str], alone: Sequence[str] = ()
) -> pathlib.Path:
    """Returns the Python of an environment, installed if it is not there.

    It lies in ~/.cache/hanlin, or under $XDG_CACHE_HOME.

    Args:
        name: of a folder for environments of this kind.
        packages: what it needs, with versions.
        alone: what is installed without that which it asks for.

    Raises:
        OSError: the installation failed; says why.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    versions = "-".join((*packages, *alone)).replace("==", "-")
    home = pathlib.Path(cache).expanduser() / "hanlin" / name / versions
    python = pathlib.Path("bin") / "python"
    if not (home / python).exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent) as directory:
            made = pathlib.Path(directory) / "environment"
            venv.create(made, with_pip=True)
            pip = [made / python, "-m", "pip", "install"]
            run([*pip, *packages], OSError)
            if alone:
                run([*pip, "--no-deps", *alone], OSError)
            # Whole or not there, also where two programs make it at a time.
            if not home.exists():
                made.rename(home)
    return home / python


def compile_program(
    compiler: pathlib.Path,
    program: pathlib.Path,
    platform: str,
    target: str | pathlib.Path,
    optimised: pathlib.Path,
) -> dict:
    """Compiles HLO for one chip; returns what the chip needs.

    Args:
        compiler: from `install`.
        program: the path of serialised HLO.
        platform: "tpu" or "cuda".
        target: a topology of TPUs, or the path of a card's description.
        optimised: a path to write the optimised HLO to, as text.

    Raises:
        ValueError: the compiler refuses the program; says why.
    """
    command = [compiler, _PROGRAM, program, platform, target, optimised]
    return json.loads(run(command, ValueError))


def run(command: Sequence, error: type[Exception]) -> str:
    """Returns what a command prints; raises `error` with its end if it fails.

    None of this process's Python packages are seen by it.
    """
    variables = os.environ | _VARIABLES
    variables.pop("PYTHONPATH", None)
    done = subprocess.run(
        command, env=variables, capture_output=True, text=True
    )
    if done.returncode:
        raise error(
            f"{' '.join(map(str, command[:3]))} ... failed: "
            f"{(done.stderr or done.stdout).strip()[-_ERROR_CHARACTERS:]}"
        )
    return done.stdout
