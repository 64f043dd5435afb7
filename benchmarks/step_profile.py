"""Says which operations a training step of ours spends its time in.

python -m benchmarks.step_profile --bert_config_file=configs/bert_tiny.json

The times are those of TensorFlow's profiler, summed over the threads. What XLA
compiles is one operation to it.
"""

import collections
import pathlib
import tempfile

from absl import app, flags

from benchmarks import training_step_peers

_BERT_CONFIG_FILE = flags.DEFINE_string(
    "bert_config_file", None, "The shape of the model.", required=True
)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 32, "Records a step.")
_NUM_TOKENS = flags.DEFINE_integer("max_seq_length", 128, "Tokens a record.")
_NUM_PREDICTIONS = flags.DEFINE_integer(
    "max_predictions_per_seq", 20, "Masked words a record."
)
_CONTENDER = flags.DEFINE_string(
    "contender", "ours", "Whose step: a name of benchmarks.training_step."
)
_STEPS = flags.DEFINE_integer("steps", 5, "Steps to profile.")
_ROWS = flags.DEFINE_integer("rows", 12, "Rows of the table.")
_WARM_UP_STEPS = 3
_PICOSECONDS = 1e12


def measure(run, num_steps):
    """Returns {kind of operation: (seconds, times)} a step."""
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        run(num_steps)
        tf.profiler.experimental.stop()
        (path,) = pathlib.Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(path.read_bytes())
    found = collections.defaultdict(lambda: [0.0, 0])
    for plane in space.planes:
        if "host:CPU" not in plane.name:
            continue
        for line in plane.lines:
            for event in line.events:
                # NAME:KIND; Class::Method and NAME: TEXT are TensorFlow's own.
                name = plane.event_metadata[event.metadata_id].name
                _, colon, kind = name.rpartition(":")
                if colon and "::" not in name and not kind.startswith(" "):
                    found[kind][0] += event.duration_ps / _PICOSECONDS
                    found[kind][1] += 1
    return {
        kind: (seconds / num_steps, count / num_steps)
        for kind, (seconds, count) in found.items()
    }


def main(_):
    settings = training_step_peers.Settings(
        _BERT_CONFIG_FILE.value,
        _BATCH_SIZE.value,
        _NUM_TOKENS.value,
        _NUM_PREDICTIONS.value,
    )
    run = training_step_peers.CONTENDERS[_CONTENDER.value](settings)
    run(_WARM_UP_STEPS)
    found = measure(run, _STEPS.value)
    total = sum(seconds for seconds, _ in found.values())
    print(f"{'operation':<28}{'ms a step':>10}{'share':>8}{'times':>8}")
    rows = sorted(found.items(), key=lambda row: -row[1][0])
    for kind, (seconds, times) in rows[: _ROWS.value]:
        print(
            f"{kind:<28}{1000 * seconds:>10.1f}{seconds / total:>8.1%}"
            f"{times:>8.0f}"
        )


if __name__ == "__main__":
    app.run(main)
