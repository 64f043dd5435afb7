"""Processes of this machine that work together."""

import json
import socket
import subprocess

_SECONDS = 300


def configs(number):
    """Returns a TF_CONFIG for each of a number of workers."""
    # All at once: a port that was given back may be found again.
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return [
        json.dumps(
            {
                "cluster": {"worker": addresses},
                "task": {"type": "worker", "index": index},
            }
        )
        for index in range(number)
    ]


def finish(programs):
    """Waits for processes; all must succeed, and none is left running."""
    try:
        said = [p.communicate(timeout=_SECONDS)[0] for p in programs]
        assert [p.returncode for p in programs] == [0] * len(programs), said
    finally:
        for program in programs:
            program.kill()
    return said


def start(*command, **settings):
    """Starts a process whose output `finish` returns."""
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, **settings
    )
