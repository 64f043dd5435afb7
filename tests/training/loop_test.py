"""The host's loop, with a step that only counts."""

import math

import pytest

from training import loop


class _Run:
    """Stands for the device, the checkpoints and the summaries."""

    def __init__(self, losses=None):
        self.losses = losses or {}
        self.step = 0
        self.blocks = []
        self.saved = []
        self.written = []
        self.names = ("loss",)

    def run_steps(self, batches, num_steps):
        self.blocks.append(int(num_steps))
        self.step += int(num_steps)

    def read(self):
        loss = self.losses.get(self.step, 1.0)
        return {"loss": loss, "gradient_norm": 1.0}

    def save(self, step):
        self.saved.append(step)

    def prefix(self, step):
        return f"model.ckpt-{step}"

    def newest(self):
        return self.prefix(self.saved[-1]) if self.saved else None

    def write(self, step, metrics, note=""):
        self.written.append(step)

    def log(self, line):
        pass

    def train(self, num_train_steps, save_every_steps, iterations_per_loop):
        loop.train(
            self.run_steps,
            None,
            self,
            start_step=self.step,
            num_train_steps=num_train_steps,
            save_every_steps=save_every_steps,
            iterations_per_loop=iterations_per_loop,
            batch_size=8,
            make_metrics=dict,
            checkpoints=self,
            summaries=self,
        )


def test_blocks_end_at_every_save_and_report_and_nowhere_else():
    run = _Run()
    run.train(23, save_every_steps=10, iterations_per_loop=7)
    assert run.blocks == [7, 3, 4, 6, 1, 2]
    assert run.written == [7, 10, 14, 20, 21, 23]
    assert run.saved == [10, 20, 23]


def test_a_resumed_run_saves_at_the_same_steps():
    run = _Run()
    run.step = 20
    run.train(40, save_every_steps=10, iterations_per_loop=100)
    assert run.blocks == [10, 10]
    assert run.saved == [30, 40]


def test_a_finished_run_does_nothing():
    run = _Run()
    run.step = 10
    run.train(10, save_every_steps=5, iterations_per_loop=5)
    assert (run.blocks, run.saved) == ([], [])


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_the_run_and_is_not_saved(bad):
    run = _Run({20: bad})
    with pytest.raises(
        ValueError, match=f"loss became {bad} between steps 10 and 20.*ckpt-10"
    ):
        run.train(30, save_every_steps=10, iterations_per_loop=10)
    assert run.saved == [10]
