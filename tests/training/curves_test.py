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
    curves.write(lines, str(tmp_path / "a.png"), "run $1$")
    data = (tmp_path / "a.png").read_bytes()
    assert data.startswith(b"\x89PNG") and len(data) > 10_000
    return [
        [(x.get_label(), *map(list, x.get_data())) for x in axes.get_lines()]
        for axes in drawn
    ]


def test_each_quantity_has_a_panel_of_its_own(tmp_path, monkeypatch):
    panels = _draw(LINES, tmp_path, monkeypatch)
    steps = [100, 200, 300, 400, 500]
    assert panels == [
        [("training", steps, [9, 8, 7, 6, 5]), ("held out", [500], [9.0])],
        [("training", steps, [8, 7, 6, 5, 4])],
        [
            ("training", steps, [0.1, 0.2, 0.3, 0.4, 0.5]),
            ("held out", [500], [0.1]),
        ],
        [("training", steps, [1e-4] * 5)],
        [("training", steps, [300.0] * 5)],
        [],
    ]


def test_rows_stay_few_and_those_of_evaluations_all_stay():
    rows = curves.Rows(
        {"step": step, "loss": 1.0}
        | ({"eval_loss": 2.0} if step % 1000 == 0 else {})
        for step in range(1, 100_001)
    )
    found = list(rows)
    assert len(found) < 5_000
    assert sum("eval_loss" in row for row in found) == 100
    steps = [row["step"] for row in found]
    assert steps == sorted(steps) and steps[0] == 1 and steps[-1] > 99_000


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
    assert losses == [("training", [100, 200], [9, 8])]
