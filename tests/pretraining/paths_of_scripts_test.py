"""Shell scripts: paths count from the folder where a command is given."""

import os
import shutil
import sys

from tests import project

_TIMEOUT_SECS = 300
# One sentence a line, a blank line between documents.
_TEXT = "今天天气很好。\n我们去公园玩。\n\n他在学校读书。\n老师教他写字。\n"


def _run(directory, script, *arguments, **environment):
    return project.run_script(
        script,
        directory,
        *arguments,
        timeout=_TIMEOUT_SECS,
        **{"PYTHON": sys.executable} | environment,
    )


def test_shards_are_built_where_the_command_is_given(tmp_path):
    (tmp_path / "corpus").mkdir()
    for number in (1, 2):
        name = f"clue_pretrain_{number:07d}.txt"
        (tmp_path / "corpus" / name).write_text(_TEXT, encoding="utf-8")
    command = ["create_pretrain_data.sh", "1", "2", "--dupe_factor=1"]
    virtual = os.path.dirname(os.path.dirname(sys.executable))
    environment = {"VIRTUAL_ENV": virtual}
    environment["PATH"] = f"{virtual}/bin:{os.environ['PATH']}"
    first = _run(tmp_path, *command, **environment)
    assert first.returncode == 0, first.stdout + first.stderr
    assert (tmp_path / "records/clue_pretrain128_2.tfrecord").exists()
    logs = tmp_path / "records" / "log"
    before = (logs / "1.txt").read_text(encoding="utf-8")
    assert _run(tmp_path, *command, **environment).returncode == 0
    # What an earlier run said is kept.
    after = (logs / "1.txt").read_text(encoding="utf-8")
    assert after.startswith(before) and "already built" in after
    assert "already built" not in before


def test_a_recipe_finds_its_configuration_from_every_folder(tmp_path):
    # No TPU: a program that prints its flags stands for the training.
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    found = _run(
        tmp_path,
        "pretrain_tpu.sh",
        "local",
        "records/*.tfrecord",
        "out",
        PYTHON=str(program),
    )
    configs = project.ROOT / "configs"
    assert found.stdout.splitlines() == [
        str(project.ROOT / "run_pretraining.py"),
        f"--flagfile={configs / 'pretrain/bert_base_tpu.flags'}",
        f"--bert_config_file={configs / 'bert_base.json'}",
        "--tpu_name=local",
        "--input_file=records/*.tfrecord",
        "--output_dir=out",
    ]
    # The caller's own recipe and configuration come first.
    (tmp_path / "configs").mkdir()
    (tmp_path / "mine.flags").write_text(
        "--bert_config_file=configs/bert_base.json\n"
    )
    shutil.copy(configs / "bert_base.json", tmp_path / "configs")
    found = _run(
        tmp_path,
        "pretrain_tpu.sh",
        *("local", "records", "out"),
        PYTHON=str(program),
        FLAGFILE="mine.flags",
    )
    assert "--bert_config_file=configs/bert_base.json" in found.stdout
    assert "--flagfile=mine.flags" in found.stdout


def test_of_a_tpu_that_is_elsewhere_the_chips_are_left_to_its_servers(tmp_path):
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\necho "chips $TPU_LOAD_LIBRARY" "$@"\n')
    program.chmod(0o755)

    def of_name(name, *flags):
        command = ("pretrain_tpu.sh", name, "records", "out", *flags)
        return _run(tmp_path, *command, PYTHON=str(program)).stdout

    assert of_name("local").startswith("chips  ")
    said = of_name("my-slice", "--tpu_zone=us-central1-a")
    assert said.startswith("chips 0 ")
    assert "--tpu_name=my-slice" in said
    assert said.endswith("--tpu_zone=us-central1-a\n")
