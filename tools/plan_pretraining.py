"""Plans a pretraining for the minutes there are: size, steps, batch, rate.

Trains the recipe for a few steps on this machine, says what it could do of
each size in the time, and writes, for the largest that sees enough text,
bert_config.json and plan.flags, flags for run_pretraining.py.

python -m tools.plan_pretraining --input_file=records/train.tfrecord \\
    --minutes=30 --output_dir=plan
"""

import dataclasses
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
from typing import Annotated, Literal

import config_flags
from data import manifest
from settings.flag import Flag, Settings
from storage import file_io
from tools.planning import budget
from tools.planning.budget import Plan, Size
from training import metrics_file

_ROOT = pathlib.Path(__file__).resolve().parents[1]
_EVALUATIONS = 20
# The first of them compiles, and is not timed.
_PROBE_STEPS = 21
_SHOWN_LINES = 5
_MINUTE = 60


@dataclasses.dataclass(frozen=True, kw_only=True)
class PlanConfig(Settings):
    """The flags of this program."""

    input_file: Annotated[
        str, "One file of the records to train on, with its manifest."
    ]
    output_dir: Annotated[str, "Where bert_config.json and plan.flags go."]
    minutes: Annotated[
        float, Flag("What there is for training.", "positive")
    ] = 30.0
    recipe: Annotated[
        str, "The flag file of run_pretraining.py that is planned for."
    ] = "configs/pretrain/chinese.flags"
    model_type: Annotated[
        Literal["bert", "roformer"],
        "What is trained. A roformer learns faster and takes longer texts than "
        "those it was trained on; a bert is read by more programs.",
    ] = "bert"
    flags: Annotated[
        str, "More flags of run_pretraining.py, as --tpu_name=NAME."
    ] = ""


def run(config: PlanConfig) -> None:
    """Measures, reckons, and writes the plan."""
    found = manifest.find(config.input_file)
    if found is None:
        raise ValueError(f"--input_file={config.input_file} has no manifest")
    num_records = sum(file.num_records for file in found.files.values())
    corpus_tokens = num_records * (found.max_seq_length or budget.SEQUENCE)
    seconds = _MINUTE * config.minutes
    lines = [
        f"{config.minutes:g} minutes, {num_records:,} records of "
        f"{found.max_seq_length} tokens"
    ]
    size: Size | None = budget.SIZES[0]
    while size:
        measured, pace = size, _measure(config, size)
        lines += [f"measured: {pace:,.0f} tokens/s of {size.name}"]
        print(lines[-1], flush=True)
        plan = Plan(measured, pace, seconds, corpus_tokens, config.model_type)
        size = budget.larger(measured, pace, seconds)
    plan = _not_too_large(plan)
    lines += [budget.table(measured, pace, seconds), *_words(plan)]
    print("\n".join(lines))
    file_io.make_directory(config.output_dir)
    for name, text in (
        ("plan.txt", "\n".join(lines)),
        ("bert_config.json", json.dumps(plan.bert_config, indent=2)),
        # The last one: who finds it finds a whole plan.
        ("plan.flags", "\n".join(flags_of(plan, config))),
    ):
        path = os.path.join(config.output_dir, name)
        file_io.write_whole(path, f"{text}\n".encode())


def _not_too_large(plan: Plan) -> Plan:
    """Goes back a size where the pace was less than expected."""
    place = budget.SIZES.index(plan.size)
    if place == 0 or plan.num_tokens >= plan.size.enough_tokens:
        return plan
    smaller = budget.SIZES[place - 1]
    pace = budget.expected_pace(smaller, plan.size, plan.tokens_per_second)
    return dataclasses.replace(plan, size=smaller, tokens_per_second=pace)


def _words(plan: Plan) -> list[str]:
    size = plan.size
    why = (
        f"{plan.num_tokens / 1e6:.1f} M tokens are enough for "
        f"{size.num_parameters / 1e6:.1f} M parameters, at "
        f"{budget.TOKENS_PER_PARAMETER:g} each (assumed)"
    )
    if plan.num_tokens < size.enough_tokens:
        why = "the smallest there is, and would want more time"
    return [
        f"taken: {size.name}: {why}",
        f"length: {plan.num_steps:,} steps = {plan.tokens_per_second:,.0f} "
        f"tokens/s x {plan.seconds:,.0f} s / ({plan.batch_size} x "
        f"{budget.TOKENS_OF_SEQUENCE:.0f} tokens) = {plan.num_epochs:.1f} "
        f"epochs, dropout {plan.dropout:g}",
        f"rate: {size.learning_rate:.2g} = {budget.RATE:g} x "
        f"{budget.RATE_WIDTH} / {size.width}, at most {budget.MOST_RATE:g}",
    ]


def flags_of(plan: Plan, config: PlanConfig) -> list[str]:
    """Returns the lines of plan.flags."""
    every = max(1, plan.num_steps // _EVALUATIONS)
    shape = os.path.join(config.output_dir, "bert_config.json")
    return [
        f"--bert_config_file={shape}",
        f"--num_train_steps={plan.num_steps}",
        f"--train_batch_size={plan.batch_size}",
        f"--stages={plan.stages}",
        f"--learning_rate={plan.size.learning_rate:.6g}",
        *_positions(config),
        f"--eval_every_steps={every}",
        f"--save_checkpoints_steps={every}",
    ]


def _positions(config: PlanConfig) -> list[str]:
    """Returns a flag that goes before the recipe's, where there are none."""
    return ["--position_init=random"] * (config.model_type == "roformer")


def _measure(config: PlanConfig, size: Size) -> float:
    """Returns tokens a second of some steps of training."""
    with tempfile.TemporaryDirectory() as folder:
        shape = os.path.join(folder, "bert_config.json")
        plan = Plan(size, 1.0, 1.0, 1, config.model_type)
        pathlib.Path(shape).write_text(json.dumps(plan.bert_config))
        done = subprocess.run(
            [
                sys.executable,
                str(_ROOT / "run_pretraining.py"),
                f"--flagfile={config.recipe}",
                f"--input_file={config.input_file}",
                f"--bert_config_file={shape}",
                f"--output_dir={folder}",
                "--do_train",
                f"--num_train_steps={_PROBE_STEPS}",
                f"--train_batch_size={budget.USUAL_BATCH}",
                *_positions(config),
                *shlex.split(config.flags),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        rows = metrics_file.rows(
            os.path.join(folder, metrics_file.NAME),
            with_name="examples_per_second",
        )
    if done.returncode or not rows:
        last = "\n".join(done.stderr.splitlines()[-_SHOWN_LINES:])
        raise ValueError(f"the steps to measure could not be run:\n{last}")
    return rows[-1]["examples_per_second"] * budget.SEQUENCE


if __name__ == "__main__":
    config_flags.run(run, PlanConfig)
