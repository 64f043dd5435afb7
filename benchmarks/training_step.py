"""Times our training step against other BERT trainers on the same machine.

Ours; KerasHub's BertMaskedLM under model.fit, in float32 and bfloat16, plain
and compiled; Hugging Face's BertForPreTraining in PyTorch, in float32 and under
bfloat16 autocast; and BertPretrainerV2 of tf-models-official where it is
installed. With the shape of an ALBERT or of an ELECTRA, theirs; KerasHub has no
head for an ELECTRA, and gets that of its other models. All train on the same
random full records with dropout, AdamW and clipping, each in a process of its
own. They take turns, so that a busy minute of the machine slows all of them.
Where others keep it busy all the time, the seconds on a processor say more than
those on the clock.

python -m benchmarks.training_step --bert_config_file=configs/bert_tiny.json

Needs pip install -e '.[dev,peers]'; what is not there is left out.
"""

import json
import statistics
import subprocess
import sys
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
_ONLY = flags.DEFINE_list("only", None, "Run none but these contenders.")
_ROUNDS = flags.DEFINE_integer("rounds", 5, "Turns of each contender.")
_STEPS = flags.DEFINE_integer("steps", 4, "Steps a turn.")
_ERROR_CHARACTERS = 300


class Contender:
    """A process that runs training steps when it is asked to."""

    def __init__(self, name, settings):
        self.name = name
        self.seconds = []
        # Closed with the process.
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                training_step_peers.__name__,
                name,
                json.dumps(settings._asdict()),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def wait(self):
        """Waits until it is warm; returns None, or why it cannot run."""
        if self._process.stdout.readline():
            return None
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().strip().splitlines()
        return lines[-1][:_ERROR_CHARACTERS] if lines else "it ended"

    def take_turn(self, num_steps):
        print(num_steps, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline().split()
        self.seconds.append([float(spent) / num_steps for spent in answer])

    def end(self):
        self._process.stdin.close()
        self._process.wait()


def start(names, settings):
    """Returns the contenders that run here; prints why others do not."""
    started = []
    for name in names:
        contender = Contender(name, settings)
        reason = contender.wait()
        if reason:
            print(f"skipped {name}: {reason}")
        else:
            started.append(contender)
    return started


def table(seconds_by_name, tokens_a_step):
    """Returns one line a contender: its speed, and how many times ours is.

    Args:
        seconds_by_name: {name: [(seconds of a step, of its threads on a
            processor) in each round]}; "ours" first.
        tokens_a_step: an integer.
    """
    medians = {
        name: [*map(statistics.median, zip(*seconds, strict=True))]
        for name, seconds in seconds_by_name.items()
    }
    first = next(iter(medians.values()))
    columns = ("step ms", "fastest ms", "tokens/s", "ours is", "CPU ms", "")
    lines = [f"{'':<24}" + "".join(f"{name:>12}" for name in columns)]
    for name, seconds in seconds_by_name.items():
        cells = (
            f"{1000 * medians[name][0]:.0f}",
            f"{1000 * min(seconds)[0]:.0f}",
            f"{tokens_a_step / medians[name][0]:,.0f}",
            f"{medians[name][0] / first[0]:.2f} x",
            f"{1000 * medians[name][1]:.0f}",
            f"{medians[name][1] / first[1]:.2f} x",
        )
        lines.append(f"{name:<24}" + "".join(f"{cell:>12}" for cell in cells))
    return "\n".join(lines)


def main(_):
    settings = training_step_peers.Settings(
        _BERT_CONFIG_FILE.value,
        _BATCH_SIZE.value,
        _NUM_TOKENS.value,
        _NUM_PREDICTIONS.value,
    )
    contenders = start(_ONLY.value or training_step_peers.CONTENDERS, settings)
    for _ in range(_ROUNDS.value):
        for contender in contenders:
            contender.take_turn(_STEPS.value)
    for contender in contenders:
        contender.end()
    print(
        f"{settings.batch_size} x {settings.num_tokens} tokens, "
        f"{settings.num_predictions} predictions; medians of {_ROUNDS.value} "
        f"rounds of {_STEPS.value} steps"
    )
    print(
        table(
            {contender.name: contender.seconds for contender in contenders},
            settings.batch_size * settings.num_tokens,
        )
    )


if __name__ == "__main__":
    app.run(main)
