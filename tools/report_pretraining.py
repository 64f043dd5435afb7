"""Makes a page of a pretraining: curves, held-out loss, what it fills in.

python -m tools.report_pretraining --model_dir=model --text_file=heldout.txt \\
    --vocab_file=vocab/zh_en_8k.txt --output_file=report.html
"""

import dataclasses
import os
from typing import Annotated

import config_flags
from settings.flag import Flag
from storage import file_io, inputs, tensorflow_start
from text import case, vocabularies
from text.config import VocabularySettings
from training import metrics_file, results_file

_GUESSES = 5
_MOST_ROWS = 2_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReportConfig(VocabularySettings):
    """The flags of this program."""

    model_dir: Annotated[
        str, "The --output_dir of run_pretraining.py, trained and evaluated."
    ]
    bert_config_file: Annotated[str, "The shape of the model."]
    output_file: Annotated[str, "Where the page goes."]
    text_file: Annotated[
        str | None, "Text of which words are filled in, a sentence a line."
    ] = None
    examples: Annotated[
        int, Flag("How many lines are shown.", "not_negative")
    ] = 12
    t2s: Annotated[
        bool, "Whether traditional Chinese is read as simplified."
    ] = False
    plan_file: Annotated[
        str | None, "What the run was planned by: plan.txt."
    ] = None
    tuned_dir: Annotated[
        str | None, "The --output_dir of a fine-tuning, for its scores."
    ] = None


def run(config: ReportConfig) -> None:
    """Reads what there is, and writes the page."""
    results = results_file.read(config.model_dir)
    if "masked_lm_loss" not in results:
        raise ValueError(
            f"--model_dir={config.model_dir} has no {results_file.NAME} of a "
            "pretraining; evaluate it by --do_eval"
        )
    for flag in ("text_file", "plan_file"):
        if getattr(config, flag):
            inputs.check_file(getattr(config, flag), flag)
    inputs.check_file(config.bert_config_file, "bert_config_file")
    with tensorflow_start.quiet():
        from interop import bert_config
        from tools.reporting import fill_in, page
    shape = bert_config.read(config.bert_config_file)
    examples = []
    if config.text_file and config.examples:
        is_uncased, _ = case.find([config.vocabulary_path, config.model_dir])
        filler = fill_in.Filler(
            config.model_dir,
            config.bert_config_file,
            vocabularies.load(config),
            do_lower_case=is_uncased is not False,
            simplify=config.t2s,
        )
        lines = _text(config.text_file).split("\n")
        examples = filler.examples(lines, config.examples, _GUESSES)
    rows = metrics_file.rows(
        os.path.join(config.model_dir, metrics_file.NAME), most=_MOST_ROWS
    )
    made = page.make(
        page.Run(
            rows=rows,
            results=results,
            shape=shape,
            examples=examples,
            scores=results_file.read(config.tuned_dir)
            if config.tuned_dir
            else {},
            plan=_text(config.plan_file) if config.plan_file else "",
        )
    )
    file_io.write_whole(config.output_file, made.encode())
    print(f"the page: {config.output_file}")


def _text(path):
    return file_io.read_bytes(path).decode("utf-8", "replace")


if __name__ == "__main__":
    config_flags.run(run, ReportConfig)
