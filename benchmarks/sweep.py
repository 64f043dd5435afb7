"""A sweep in one process against a process for each setting.

python -m benchmarks.sweep --output_dir=/tmp/sweep --num_alone=3 \\
    --sweep='learning_rate=2e-5,5e-5; num_train_epochs=2,3' \\
    --flags='--task_name=mrpc --data_dir=MRPC ...'

The sweep runs first, then --num_alone of its settings, spread over the list, by
run_classifier.py each. Both take their graphs of XLA from one folder, in which
there is nothing at first. Of the settings that are not run alone each counts as
the mean of those that are.
"""

import itertools
import os
import shlex
import statistics
import sys

from absl import app, flags

from benchmarks import whole_process

_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "A new folder.")
_SWEEP = flags.DEFINE_string("sweep", None, "As of run_classifier.py.")
_FLAGS = flags.DEFINE_string(
    "flags", None, "Of run_classifier.py, but what this program sets."
)
_NUM_ALONE = flags.DEFINE_integer(
    "num_alone", 3, "How many settings are run by themselves.", lower_bound=1
)


def _settings(sweep):
    """Returns the flags of each setting."""
    lists = [part.split("=") for part in sweep.replace(" ", "").split(";")]
    return [
        [
            f"--{name}={value}"
            for (name, _), value in zip(lists, values, strict=True)
        ]
        for values in itertools.product(*(x.split(",") for _, x in lists))
    ]


def _run(name, *more):
    command = [sys.executable, "run_classifier.py", "--do_train", "--do_eval"]
    command += shlex.split(_FLAGS.value)
    command.append(f"--output_dir={os.path.join(_OUTPUT_DIR.value, name)}")
    run = whole_process.measure(name, [*command, *more], on_one_core=False)
    print(
        f"{name:10} wall {run.wall_secs:8,.0f} s  processor "
        f"{run.cpu_secs:8,.0f} s  {run.peak_mb:6,.0f} MB",
        flush=True,
    )
    return run


def main(argv):
    del argv
    os.makedirs(_OUTPUT_DIR.value)
    kept = os.path.join(os.path.abspath(_OUTPUT_DIR.value), "xla")
    os.makedirs(kept)
    os.environ["TF_XLA_FLAGS"] = (
        f"--tf_xla_persistent_cache_directory={kept} "
        "--tf_xla_persistent_cache_device_types=CPU"
    )
    settings = _settings(_SWEEP.value)
    together = _run("sweep", f"--sweep={_SWEEP.value}")
    count = min(_NUM_ALONE.value, len(settings))
    places = [number * len(settings) // count for number in range(count)]
    alone = [_run(f"alone_{n}", *settings[n]) for n in places]
    for what, one, others in (
        ("wall", together.wall_secs, [run.wall_secs for run in alone]),
        ("processor", together.cpu_secs, [run.cpu_secs for run in alone]),
    ):
        total = statistics.fmean(others) * len(settings)
        print(
            f"{what}: {len(settings)} settings {one:,.0f} s together, "
            f"{total:,.0f} s alone ({count} measured): {total / one:.1f} times"
        )


if __name__ == "__main__":
    flags.mark_flags_as_required(["output_dir", "sweep", "flags"])
    app.run(main)
