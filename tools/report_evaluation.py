"""Makes a page of an evaluation: what was taken for what, and which rows.

python -m tools.report_evaluation --output_file=errors.html \\
    --predictions_file=output/reviews/eval_predictions.jsonl
"""

import dataclasses
import os
from typing import Annotated

import config_flags
from settings.flag import Flag, Settings
from storage import file_io, inputs
from training import results_file


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReportConfig(Settings):
    """The flags of this program."""

    predictions_file: Annotated[
        str,
        "eval_predictions.jsonl, which --do_eval of run_classifier.py, "
        "run_squad.py or run_ner.py writes.",
    ]
    output_file: Annotated[str, "Where the page goes."]
    examples: Annotated[
        int, Flag("How many rows are shown at most.", "positive")
    ] = 400


def run(config: ReportConfig) -> None:
    """Reads what there is, and writes the page."""
    inputs.check_file(config.predictions_file, "predictions_file")
    file_io.check_output(config.output_file, "output_file")
    from tools.reporting import cases, evaluation_page

    evaluation = cases.read(config.predictions_file)
    scores = results_file.read(os.path.dirname(config.predictions_file))
    made = evaluation_page.make(evaluation, scores, config.examples)
    # A text may hold half of an emoji, which UTF-8 cannot.
    file_io.write_whole(config.output_file, made.encode("utf-8", "replace"))
    print(f"the page: {config.output_file}")


if __name__ == "__main__":
    config_flags.run(run, ReportConfig)
