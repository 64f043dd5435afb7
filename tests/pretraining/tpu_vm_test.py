"""shell/tpu_vm.sh, with a gcloud of the tests: what it creates it deletes."""

import json
import signal
import subprocess
import sys
import time

import pytest

from tests import fake_gcloud, project

_SECONDS = 600
_PLACE = ["--zone=us-central1-a", "--quiet"]
# Writes its arguments, and ends with the status that it is told.
_COMMAND = [
    sys.executable,
    "-c",
    "import json, sys; print(json.dumps(sys.argv[2:]), file=open('said', 'a'))"
    "; sys.exit(int(sys.argv[1]))",
]
_TAKEN = {"status": 255, "state": "PREEMPTED"}


class Script:
    """The script on a TPU of a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = fake_gcloud.install(folder) | {
            "TPU_ZONE": "us-central1-a",
            "WAIT_SECS": "0",
        }

    def plan(self, **steps):
        (self.folder / "plan.json").write_text(json.dumps(steps))

    def start(self, *command, **environment):
        return subprocess.Popen(
            ["bash", str(project.ROOT / "shell/tpu_vm.sh"), "my-tpu", *command],
            cwd=self.folder,
            env=self.environment | environment,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # What starts the tests in the background has it ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def run(self, *command, **environment):
        """Returns its status and what it said."""
        process = self.start(*command, **environment)
        _, said = process.communicate(timeout=_SECONDS)
        print(said)
        return process.returncode, said

    @property
    def actions(self):
        calls = fake_gcloud.calls(self.folder)
        return [call[0] for call in calls if call[0] != "describe"]

    @property
    def has_tpu(self):
        return (self.folder / "state").exists()


@pytest.fixture
def script(tmp_path):
    return Script(tmp_path)


def test_a_tpu_is_created_used_and_deleted(script):
    status, said = script.run(*_COMMAND, "0")
    assert status == 0
    assert script.actions == ["create", "ssh", "delete"]
    assert not script.has_tpu
    calls = fake_gcloud.calls(script.folder)
    assert calls[1] == [
        *("create", "my-tpu", *_PLACE),
        "--accelerator-type=v5litepod-8",
        "--version=v2-alpha-tpuv5-lite",
    ]
    assert calls[-1] == ["delete", "my-tpu", *_PLACE]
    assert "may still be there" not in said


def test_the_variables_say_what_is_created(script):
    script.run(
        *(*_COMMAND, "0"),
        GCP_PROJECT="my project",
        ACCELERATOR="v3-32",
        IMAGE="tpu-vm-tf-2.20.0-pod-pjrt",
        SPOT="1",
        SETUP="echo 'set up' > set_up",
    )
    calls = fake_gcloud.calls(script.folder)
    assert calls[1] == [
        *("create", "my-tpu", _PLACE[0], "--project=my project", "--quiet"),
        "--accelerator-type=v3-32",
        "--version=tpu-vm-tf-2.20.0-pod-pjrt",
        "--spot",
    ]
    assert calls[2][-2:] == [
        "--worker=all",
        "--command=echo 'set up' > set_up",
    ]
    assert (script.folder / "home/set_up").read_text() == "set up\n"


def test_words_arrive_as_they_were_given(script):
    words = [
        "gs://b/*.tfrecord",
        "two words",
        "",
        "'\"$HOME`x`\\",
        "书\n",
        "-x",
    ]
    assert script.run(*_COMMAND, "0", *words)[0] == 0
    said = (script.folder / "home/said").read_text().splitlines()
    assert json.loads(said[0]) == words


@pytest.mark.parametrize("status", [1, 2])
def test_a_mistake_is_not_tried_again(script, status):
    assert script.run(*_COMMAND, str(status))[0] == status
    assert script.actions == ["create", "ssh", "delete"]


def test_a_tpu_that_was_taken_back_is_created_again(script):
    script.plan(ssh=[_TAKEN, _TAKEN | {"state": "MISSING"}])
    assert script.run(*_COMMAND, "0", SPOT="1")[0] == 0
    once = ["create", "ssh", "delete"]
    assert script.actions == [*once, *once, *once]
    assert len((script.folder / "home/said").read_text().splitlines()) == 1


def test_a_command_that_lost_its_tpu_is_given_again_where_that_is(script):
    script.plan(ssh=[{"status": 3}, {"status": 255}])
    assert script.run(*_COMMAND, "0")[0] == 0
    assert script.actions == ["create", "ssh", "ssh", "ssh", "delete"]


def test_a_creation_that_failed_leaves_nothing_and_is_tried_again(script):
    none_left = {"status": 1, "said": "no more capacity in the zone"}
    script.plan(create=[none_left, none_left | {"state": "CREATING"}])
    status, said = script.run(*_COMMAND, "0")
    assert status == 0 and "no more capacity" in said
    assert script.actions == [
        *["create", "delete"] * 2,
        "create",
        "ssh",
        "delete",
    ]
    assert not script.has_tpu


def test_it_gives_up_at_last_and_leaves_nothing(script):
    script.plan(create=[{"status": 1}] * 3)
    status, said = script.run(*_COMMAND, "0", RETRIES="2")
    assert status == 1 and "stopped 2 times" in said
    assert script.actions.count("create") == 3
    assert not script.has_tpu


def test_a_setup_that_failed_is_done_on_a_new_tpu(script):
    script.plan(ssh=[{"status": 1}])
    assert script.run(*_COMMAND, "0", SETUP="true")[0] == 0
    assert script.actions == [
        *("create", "ssh", "delete"),
        *("create", "ssh", "ssh", "delete"),
    ]


def test_a_tpu_of_somebody_else_is_left_alone(script):
    (script.folder / "state").write_text("READY")
    status, said = script.run(*_COMMAND, "0")
    assert status == 1 and "already, READY: it is left alone" in said
    assert script.actions == [] and script.has_tpu


def test_where_gcloud_cannot_say_nothing_is_created(script):
    script.plan(describe=[{"status": 1, "said": "You are not logged in"}])
    status, said = script.run(*_COMMAND, "0")
    assert status == 1 and "You are not logged in" in said
    assert script.actions == []


def _said_how_to_delete(said):
    return (
        "gcloud compute tpus tpu-vm delete my-tpu --zone=us-central1-a" in said
    )


def test_a_tpu_that_cannot_be_deleted_is_told(script):
    script.plan(delete=[{"status": 1}])
    status, said = script.run(*_COMMAND, "0")
    assert status == 0 and _said_how_to_delete(said)


def test_a_tpu_that_is_to_be_kept_is_told(script):
    status, said = script.run(*_COMMAND, "0", KEEP="1")
    assert status == 0 and _said_how_to_delete(said)
    assert script.has_tpu


# Saves, and takes its time, when it is told to end.
_SAVING = [
    "bash",
    "-c",
    "trap 'sleep 0.5; touch saved; exit 4' TERM; touch started; "
    "while true; do sleep 0.1; done",
]


def _wait_for(path):
    deadline = time.monotonic() + _SECONDS
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_told_to_end_the_command_saves_and_the_tpu_is_deleted(script, number):
    process = script.start(*_SAVING)
    _wait_for(script.folder / "home/started")
    process.send_signal(number)
    _, said = process.communicate(timeout=_SECONDS)
    assert process.returncode == 4
    assert (script.folder / "home/saved").exists()
    assert script.actions[-1] == "delete" and not script.has_tpu
    assert not _said_how_to_delete(said)


def test_a_second_signal_ends_at_once_and_says_what_is_left(script):
    process = script.start(
        *("bash", "-c", "trap : TERM; touch started; sleep 3; exec sleep 2")
    )
    _wait_for(script.folder / "home/started")
    process.send_signal(signal.SIGINT)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=_SECONDS) == 130
    assert _said_how_to_delete(process.stderr.read())
    assert script.has_tpu
