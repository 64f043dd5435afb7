"""Finds records that would spoil a training: damaged, wrong or useless ones.

python -m tools.inspect_records records/*.tfrecord \\
    --vocab_file=vocab/zh_en_8k.txt --html=page.html
"""

import dataclasses
import sys
from collections.abc import Sequence
from typing import Annotated, ClassVar

from absl import app, flags, logging

import config_flags
from settings.flag import Flag
from storage import inputs, tensorflow_start
from text import vocabularies
from text.config import VocabularySettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class InspectConfig(VocabularySettings):
    """Every setting of inspect_records."""

    wants_vocabulary: ClassVar[bool] = False
    vocab_file: Annotated[
        str | None,
        "The vocabulary the records were built with; without it ids are shown "
        "in place of tokens, and fewer facts are checked.",
    ] = None
    html: Annotated[
        str | None, "A page to write, with charts and some of the records."
    ] = None
    num_samples: Annotated[
        int,
        Flag(
            "Records on the page, drawn with equal chances from all.",
            "not_negative",
        ),
    ] = 20
    max_records: Annotated[
        int,
        Flag(
            "Records to read of each file, for a short look; 0 reads all.",
            "not_negative",
        ),
    ] = 0
    seed: Annotated[
        int,
        Flag("Decides which records are on the page.", "not_negative"),
    ] = 0


def run(names: Sequence[str], config: InspectConfig) -> bool:
    """Inspects files; see `tools.inspection.inspecting.run`."""
    if config.vocabulary_path:
        vocabularies.find(config)
    inputs.look(",".join(names), "FILE")
    with tensorflow_start.quiet():
        from tools.inspection import inspecting
    return inspecting.run(names, config)


def _main(make_config):
    def main(argv: Sequence[str]) -> None:
        if len(argv) < 2:
            raise app.UsageError("name record files, globs or directories")
        logging.use_absl_handler()
        try:
            is_sound = run(argv[1:], make_config())
        except Exception as error:
            if not config_flags.is_for_the_user(error):
                raise
            logging.debug("", exc_info=True)
            text = getattr(error, "message", None) or str(error)
            print(f"error: {text}", file=sys.stderr)
            is_sound = False
        sys.exit(0 if is_sound else 1)

    return main


if __name__ == "__main__":
    flags.FLAGS.set_default("verbosity", logging.INFO)
    main = _main(config_flags.define(InspectConfig))
    app.run(main, flags_parser=config_flags.parse)
