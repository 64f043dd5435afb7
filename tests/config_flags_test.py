"""Flags made of a config: each in its own process, as flags are global."""

import dataclasses
import json
import subprocess
import sys
import textwrap

import pytest
import tensorflow as tf

import config_flags
from data.config import BuildConfig
from tests import project

REQUIRED = ["--input_file=a", "--output_file=b", "--vocab_file=c"]
PROGRAM = """
    import dataclasses, json, typing
    import config_flags
    from data.config import BuildConfig

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Config(BuildConfig):
        kind: typing.Annotated[
            typing.Literal["one", "two"], "Which."
        ] = "one"
        limit: typing.Annotated[int | None, "Most."] = None
        shade: typing.Annotated[
            typing.Literal["light", "dark"] | None, "Which, if any."
        ] = None

    def work(config):
        if config.input_file == "wrong":
            raise ValueError("--input_file: wrong")
        print(json.dumps(dataclasses.asdict(config)))

    config_flags.run(work, Config)
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    path = tmp_path_factory.mktemp("flags") / "program.py"
    path.write_text(textwrap.dedent(PROGRAM))

    def run(*flags):
        return subprocess.run(
            [sys.executable, str(path), *flags],
            env=project.environment(),
            capture_output=True,
            text=True,
        )

    return run


def read(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_field_is_a_flag_with_its_default(program):
    got = read(program(*REQUIRED))
    wanted = dataclasses.asdict(
        BuildConfig(input_file="a", output_file="b", vocab_file="c")
    )
    assert got == wanted | {"kind": "one", "limit": None, "shade": None}
    assert type(got["masked_lm_prob"]) is float
    described = program("--help").stdout
    for name in wanted:
        assert f"--{name}:" in described or f"--[no]{name}:" in described, name


def test_flags_of_every_type_are_read(program):
    got = read(
        program(
            "--input_file=x,y",
            *REQUIRED[1:],
            "--kind=two",
            "--limit=1_000",
            "--nodo_lower_case",
            "--t2s=true",
            "--random_seed=1,000,000",
            "--dupe_factor=5",
            "--masked_lm_prob=0.2",
        )
    )
    assert (got["kind"], got["limit"], got["dupe_factor"]) == ("two", 1000, 5)
    assert (got["do_lower_case"], got["t2s"]) == (False, True)
    assert (got["random_seed"], got["masked_lm_prob"]) == (1000000, 0.2)
    assert got["input_file"] == "x,y"


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (REQUIRED[:2], ["--vocab_file, --spm_model_file or --tokenizer"]),
        ([*REQUIRED, "--kind=three"], ["kind", "three", "one|two"]),
        ([*REQUIRED, "--dupe_factor=many"], ["dupe_factor", "many"]),
        ([*REQUIRED, "--dupe_factor=1.5"], ["dupe_factor", "1.5"]),
        ([*REQUIRED, "--dupe=3"], ["dupe"]),
        ([*REQUIRED, "stray"], ["stray"]),
        ([*REQUIRED, "--dupe_factor=0"], ["--dupe_factor", "got 0"]),
        (["--input_file=wrong", *REQUIRED[1:]], ["--input_file: wrong"]),
    ],
)
def test_a_wrong_flag_is_named_without_a_traceback(program, flags, words):
    done = program(*flags)
    assert done.returncode == 1
    assert not done.stdout.startswith("{")
    said = done.stdout + done.stderr
    for word in words:
        assert word in said, said
    assert "Traceback" not in said, said


def test_a_fault_of_the_program_keeps_its_traceback(program, tmp_path):
    path = tmp_path / "faulty.py"
    path.write_text(
        textwrap.dedent(PROGRAM).replace("raise ValueError", "raise KeyError")
    )
    done = subprocess.run(
        [sys.executable, str(path), "--input_file=wrong", *REQUIRED[1:]],
        env=project.environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "KeyError" in done.stderr


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ValueError("--a must be b"), 1, "error: --a must be b"),
        (tf.errors.DataLossError(None, None, "torn"), 1, "error: torn"),
        (tf.errors.UnavailableError(None, None, "gone"), 3, "error: gone"),
        (ConnectionError("no TPU"), 3, "error: no TPU"),
    ],
)
def test_what_others_have_to_mend_is_one_line_and_a_status(
    monkeypatch, capsys, error, status, said
):
    def fail(config):
        raise error

    monkeypatch.setattr(config_flags, "define", lambda _: lambda: None)
    monkeypatch.setattr(
        config_flags.app, "run", lambda main, **_: main(["prog"])
    )
    with pytest.raises(SystemExit) as ended:
        config_flags.run(fail, None)
    assert ended.value.code == status
    assert capsys.readouterr().err.splitlines()[-1] == said


def test_our_own_mistake_keeps_its_traceback(monkeypatch):
    def fail(config):
        raise KeyError("ours")

    monkeypatch.setattr(config_flags, "define", lambda _: lambda: None)
    monkeypatch.setattr(
        config_flags.app, "run", lambda main, **_: main(["prog"])
    )
    with pytest.raises(KeyError):
        config_flags.run(fail, None)
