"""A stand-in for `gcloud compute tpus tpu-vm`, on a folder of this machine.

`install` puts it on the PATH. The folder has:

    state        of the TPU, as describe says it; none where there is no TPU
    calls        a line of JSON for each call: its arguments
    plan.json    {action: [what the first call does, the second ...]}, each
                 {"status", "state", "said"}; what is not planned succeeds
    home/        where commands that are given by ssh run
"""

import json
import os
import pathlib
import subprocess
import sys

_MISSING = "ERROR: (gcloud.compute.tpus.tpu-vm.{}) NOT_FOUND: no such resource"


def install(folder):
    """Returns the environment in which gcloud is this one."""
    (folder / "bin").mkdir()
    (folder / "home").mkdir()
    program = folder / "bin" / "gcloud"
    program.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "{folder}" "$@"\n'
    )
    program.chmod(0o755)
    return os.environ | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}


def calls(folder):
    """Returns the arguments of each call, from the action on."""
    path = folder / "calls"
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def _planned(folder, action):
    path = folder / "plan.json"
    plan = json.loads(path.read_text()) if path.exists() else {}
    step = plan.get(action, []) and plan[action].pop(0)
    path.write_text(json.dumps(plan))
    return step or {}


def _set(state, value):
    if value == "MISSING":
        state.unlink(missing_ok=True)
    elif value:
        state.write_text(value)


def _ssh(folder, arguments):
    (command,) = [x for x in arguments if x.startswith("--command=")]
    return subprocess.run(
        ["bash", "-c", command.removeprefix("--command=")],
        cwd=folder / "home",
    ).returncode


def main(folder, arguments):
    assert arguments[:3] == ["compute", "tpus", "tpu-vm"], arguments
    action, *rest = arguments[3:]
    with (folder / "calls").open("a") as log:
        log.write(json.dumps([action, *rest]) + "\n")
    state = folder / "state"
    is_stop = any("kill -TERM" in word for word in rest)
    step = {} if is_stop else _planned(folder, action)
    if step.get("said"):
        print(step["said"], file=sys.stderr)
    if step:
        _set(state, step.get("state"))
        return step.get("status", 0)
    if action == "create":
        state.write_text("READY")
    elif not state.exists():
        print(_MISSING.format(action), file=sys.stderr)
        return 1
    elif action == "describe":
        print(state.read_text())
    elif action == "delete":
        state.unlink()
    elif action == "ssh":
        return _ssh(folder, rest)
    return 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2:]))
