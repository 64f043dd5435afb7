"""What the settings of a sweep scored: sweep.json, a table, a picture.

sweep.json has, beside what all settings share,

    "settings": {NAME: {"values": {flag: value},
                        "scores": {EPOCHS: {metric: number} or null}}}

with null for a run whose loss was no longer a number.
"""

import os
from collections.abc import Sequence
from typing import Any

from absl import logging

from finetuning import sweep_settings
from finetuning.config import FinetuningConfig
from pages import charts
from storage import file_io, json_files
from training import best_checkpoint, run_settings

JSON_FILE = "sweep.json"
TABLE_FILE = "sweep.md"
PICTURE_FILE = "sweep.svg"
_SHAPE = {
    "metric": str,
    "fixed": dict,
    "settings": {str: {"values": dict, "scores": {str: (dict, None)}}},
}
_SHOWN_ROWS = 10
# As `seeds` calls them.
_MEAN, _DEVIATION = "_mean", "_deviation"


class Table:
    """The scores of a sweep's settings, each by its number.

    Args:
        config: of the sweep.
        settings: of its runs.
        metric: what decides, the best as of `Task.key_metric`.
        known: what sweep.json has of another time, by the settings' names.
    """

    def __init__(
        self,
        config: FinetuningConfig,
        settings: Sequence[FinetuningConfig],
        metric: str,
        known: dict[str, Any],
    ):
        self.names = sweep_settings.names(config)
        self._directory = config.output_dir
        self._fixed = _fixed(config, self.names)
        self._metric = metric
        self._sign = best_checkpoint.sign(metric.removesuffix(_MEAN))
        self._num_epochs = [setting.num_train_epochs for setting in settings]
        self._rows: dict[str, dict[str, Any]] = {}
        for setting in settings:
            name = os.path.basename(setting.output_dir)
            values = {key: getattr(setting, key) for key in self.names}
            scores = known.get(name, {}).get("scores", {})
            self._rows[name] = {"values": values, "scores": dict(scores)}
        self._ids = list(self._rows)
        # Settings of another --sweep of the same folder are kept.
        self._others = {
            name: row for name, row in known.items() if name not in self._rows
        }

    @classmethod
    def load(
        cls,
        config: FinetuningConfig,
        settings: Sequence[FinetuningConfig],
        metric: str,
    ) -> "Table":
        """Returns the table with what runs before this one scored.

        Raises:
            ValueError: --output_dir has a run, or a sweep with other flags.
        """
        path = os.path.join(config.output_dir, JSON_FILE)
        before = json_files.read_or_none(path, _SHAPE)
        if before is None:
            is_other = not file_io.exists(path)
            if is_other and run_settings.read(config.output_dir):
                raise ValueError(
                    f"--output_dir={config.output_dir} has a training and no "
                    f"{JSON_FILE}: give --sweep a folder of its own"
                )
            return cls(config, settings, metric, {})
        table = cls(config, settings, metric, before["settings"])
        table._refuse_others(before["fixed"])
        return table

    def _refuse_others(self, before):
        ours = json_files.parse(json_files.line(self._fixed), JSON_FILE)
        for name, value in ours.items():
            if name in before and before[name] != value:
                raise ValueError(
                    f"--output_dir={self._directory} has a sweep with --{name}="
                    f"{before[name]}, and this one has {value}: give another "
                    "--output_dir"
                )

    def name(self, number: int) -> str:
        return self._ids[number]

    def has(self, number: int, epochs: float) -> bool:
        """Whether it is known what a setting scored after so many epochs."""
        return sweep_settings.text_of(epochs) in self._scores(number)

    def add(
        self, number: int, epochs: float, scores: dict[str, float] | None
    ) -> None:
        """Notes scores, and writes the table; None where there are none."""
        self._scores(number)[sweep_settings.text_of(epochs)] = scores
        self._write()

    def scores(self, number: int) -> dict[str, float]:
        """Returns what a setting scored last; {} where there is none."""
        found = self._scores(number)
        return (found[max(found, key=float)] if found else None) or {}

    def epochs_before(self, number: int, epochs: float) -> float:
        """Returns how many epochs were scored before so many."""
        found = map(float, self._scores(number))
        return max((x for x in found if x < epochs), default=0.0)

    def ranked(self, numbers: Sequence[int]) -> list[int]:
        """Returns settings from the best to the worst; ties as they came."""
        return sorted(numbers, key=self._rank)

    def ranked_whole(self) -> list[int]:
        """Returns the settings that came to their end, the best first.

        Notes which is best.

        Raises:
            ValueError: none has a score.
        """
        whole = [n for n in range(len(self._ids)) if self._is_whole(n)]
        ranked = self.ranked([n for n in whole if self.scores(n)])
        if not ranked:
            raise ValueError(
                f"not one setting of --sweep in {self._directory} has a score: "
                "lower the rates"
            )
        self._write(best=ranked[0])
        logging.info(
            "best of %s settings: %s, %s = %s",
            len(self._ids),
            self.name(ranked[0]),
            self._metric,
            self.scores(ranked[0])[self._metric],
        )
        return ranked

    def tell(self, time_left: str) -> None:
        """Logs the table, the best rows first."""
        num_done = sum(map(self._is_whole, range(len(self._ids))))
        lines = self._lines()
        shown = "\n".join(lines[: _SHOWN_ROWS + 2])
        logging.info(
            "sweep: %s of %s settings are trained to their end%s\n%s",
            num_done,
            len(self._ids),
            f", about {time_left} left" if time_left else "",
            shown,
        )

    def _scores(self, number):
        return self._rows[self._ids[number]]["scores"]

    def _is_whole(self, number):
        return self.has(number, self._num_epochs[number])

    def _rank(self, number):
        scores = self.scores(number)
        if not scores:
            return (1, 0.0)
        return (0, self._sign * scores[self._metric])

    def _lines(self):
        """Returns the lines of a Markdown table."""
        scored = self.ranked(
            [n for n in range(len(self._ids)) if self._scores(n)]
        )
        metrics = [self._metric]
        for number in scored:
            metrics += [
                name
                for name in self.scores(number)
                if name not in metrics and self._is_shown(name)
            ]
        heads = [*self.names, "epochs trained", *metrics]
        lines = [_line(heads), _line(["---"] * len(heads))]
        for number in scored:
            scores = self.scores(number)
            values = self._rows[self._ids[number]]["values"].values()
            cells = [sweep_settings.text_of(value) for value in values]
            epochs = max(self._scores(number), key=float)
            # Those are given up that train no more before their end.
            whole = sweep_settings.text_of(self._num_epochs[number])
            cells.append(epochs if epochs == whole else f"{epochs} of {whole}")
            cells += [
                f"{scores[name]:.4f}" if name in scores else "no number"
                for name in metrics
            ]
            lines.append(_line(cells))
        return lines

    def _is_shown(self, name):
        """Whether a metric has a column: of seeds the means alone."""
        if self._metric.endswith(_MEAN):
            is_spread = name == self._metric.replace(_MEAN, _DEVIATION)
            return is_spread or name.endswith(_MEAN)
        return name.startswith("eval_")

    def _write(self, best=None):
        described = {
            "metric": self._metric,
            "fixed": self._fixed,
            "settings": self._rows | self._others,
        }
        if best is not None:
            described["best"] = self.name(best)
        path = os.path.join(self._directory, JSON_FILE)
        json_files.write(path, described)
        file_io.write_lines(
            os.path.join(self._directory, TABLE_FILE), self._lines()
        )
        picture = self._picture()
        if picture:
            path = os.path.join(self._directory, PICTURE_FILE)
            file_io.write_whole(path, picture.encode())

    def _picture(self):
        """Draws the metric over the first flag, a line for each other value."""
        first, *rest = self.names
        groups: dict[str, list[tuple[float, float]]] = {}
        for number, name in enumerate(self._ids):
            scores = self.scores(number)
            if not (scores and self._is_whole(number)):
                continue
            values = self._rows[name]["values"]
            group = ", ".join(
                f"{key} {sweep_settings.text_of(values[key])}" for key in rest
            )
            x = values[first]
            if isinstance(x, bool | str):
                x = sorted({r["values"][first] for r in self._rows.values()})
                x = x.index(values[first])
            line = groups.setdefault(group or self._metric, [])
            line.append((float(x), scores[self._metric]))
        if not groups:
            return ""
        lines = {name: [sorted(line)] for name, line in groups.items()}
        return charts.standalone(
            [charts.lines(lines, x_name=first, y_name=self._metric)]
        )


def _fixed(config, names):
    """Returns {flag: value} of what decides and is not swept."""
    flags = config.deciding("result", "rows", "reading")
    others = ("seeds", "successive_halving")
    flags |= {name: getattr(config, name) for name in others}
    return {name: x for name, x in flags.items() if name not in names}


def _line(cells):
    return f"| {' | '.join(cells)} |"
