"""The picture shows every number of a run once, with what was held out."""

import numpy as np
from matplotlib import figure

from training import curves

LINES = [
    {
        "step": step,
        "loss": 10 - step / 100,
        "masked_lm_loss": 9 - step / 100,
        "masked_lm_accuracy": step / 1000,
        "learning_rate": 1e-4,
        "examples_per_second": 300.0,
    }
    | ({"eval_loss": 9.0, "eval_masked_lm_accuracy": 0.1} if step > 400 else {})
    for step in range(100, 600, 100)
]


def _draw(lines, tmp_path, monkeypatch):
    """Returns the lines of each panel: (label, steps, values)."""
    drawn = []

    class Figure(figure.Figure):
        def savefig(self, *arguments, **settings):
            drawn.extend(self.axes)
            super().savefig(*arguments, **settings)

    monkeypatch.setattr(figure, "Figure", Figure)
    curves.write(lines, str(tmp_path / "a.png"))
    data = (tmp_path / "a.png").read_bytes()
    assert data.startswith(b"\x89PNG") and len(data) > 10_000
    return [
        [(x.get_label(), *map(list, x.get_data())) for x in axes.get_lines()]
        for axes in drawn
    ]


def test_what_is_drawn_is_what_the_lines_say(tmp_path, monkeypatch):
    losses, accuracies, rates, speeds = _draw(LINES, tmp_path, monkeypatch)
    steps = [100, 200, 300, 400, 500]
    assert losses == [
        ("loss", steps, [9, 8, 7, 6, 5]),
        ("_loss, held out", [500], [9.0]),
        ("masked_lm_loss", steps, [8, 7, 6, 5, 4]),
    ]
    assert [label for label, *_ in accuracies] == [
        "masked_lm_accuracy",
        "_masked_lm_accuracy, held out",
    ]
    assert rates == [("learning_rate", steps, [1e-4] * 5)]
    assert speeds == [("examples_per_second", steps, [300.0] * 5)]


def test_of_many_points_the_first_and_the_last_steps_stay():
    lines = [{"step": step, "loss": 1.0} for step in range(10, 100_010, 10)]
    steps, values = curves.series(lines, "loss")
    assert len(steps) == len(values) <= 2_000
    assert steps[-1] == 100_000 and steps[0] <= 100
    assert set(np.diff(steps)) == {50}


def test_lines_of_skipped_steps_have_no_loss_and_are_drawn_around(
    tmp_path, monkeypatch
):
    lines = [LINES[0], {"step": 150, "skipped_steps": 50}, LINES[1]]
    losses, *_ = _draw(lines, tmp_path, monkeypatch)
    assert losses[0] == ("loss", [100, 200], [9, 8])
