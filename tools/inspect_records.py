"""Finds records that would spoil a training: damaged, wrong or useless ones.

python -m tools.inspect_records records/*.tfrecord \\
    --vocab_file=vocab/zh_en_8k.txt --html=page.html
"""

import dataclasses
import sys
from collections.abc import Sequence
from typing import Annotated

import tensorflow as tf
from absl import app, flags, logging

import config_flags
from data.laws import LAWS
from jobs.progress import Progress
from settings.flag import Flag, Settings
from storage import file_io, inputs
from text import vocab
from tools.inspection import files, findings, page, report
from tools.inspection.statistics import Statistics


@dataclasses.dataclass(frozen=True, kw_only=True)
class InspectConfig(Settings):
    """Every setting of inspect_records."""

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


def inspect(paths: list[str], config: InspectConfig) -> report.Inspection:
    """Reads and checks record files.

    Raises:
        ValueError, OSError: a file or the vocabulary cannot be read.
    """
    vocabulary = vocab.load(config.vocab_file) if config.vocab_file else None
    special_ids = vocabulary.roles._asdict() if vocabulary else {}
    found = findings.Findings()
    statistics = Statistics(special_ids, config.num_samples, config.seed)
    context = files.Context(
        vocabulary, special_ids, config.max_records, statistics, found
    )
    num_bytes = sum(map(file_io.num_bytes, paths))
    with Progress("reading", num_bytes, "B") as progress:
        inspected = [
            files.inspect(path, context, progress.advance) for path in paths
        ]
    files.compare(inspected, found)
    manifest = files.manifest_of(inspected)
    flags_of_build = manifest.made_from.flags
    # Records of other builders are taken for BERT's.
    law = LAWS.get(flags_of_build.get("mask_unit", "word"), LAWS["word"])
    statistics.warn(found, law, flags_of_build.get("dupe_factor", 1))
    return report.Inspection(
        inspected, statistics, found, vocabulary, manifest, law
    )


def run(names: Sequence[str], config: InspectConfig) -> bool:
    """Inspects files, tells what was found and writes the page.

    Args:
        names: files, globs or directories.
        config: the flags.

    Returns:
        Whether the records are sound: there is no error, warnings or not.
    """
    if config.html:
        file_io.check_output(config.html, "html")
    # A shell's glob names the manifests too.
    named = [name for name in names if not name.endswith(".json")]
    records = list(dict.fromkeys(inputs.expand_items(named, "FILE")))
    inspection = inspect(records, config)
    print(report.text(inspection))
    if config.html:
        html = page.make(inspection)
        file_io.write_whole(config.html, html.encode())
        logging.info("%s: %d kB", config.html, len(html) // 1000)
    return not inspection.found.number(findings.ERROR)


def _main(make_config):
    def main(argv: Sequence[str]) -> None:
        if len(argv) < 2:
            raise app.UsageError("name record files, globs or directories")
        logging.use_absl_handler()
        try:
            is_sound = run(argv[1:], make_config())
        except (ValueError, OSError, tf.errors.OpError) as error:
            logging.debug("", exc_info=True)
            text = getattr(error, "message", None) or str(error)
            print(f"error: {text}", file=sys.stderr)
            is_sound = False
        sys.exit(0 if is_sound else 1)

    return main


if __name__ == "__main__":
    flags.FLAGS.set_default("verbosity", logging.INFO)
    app.run(_main(config_flags.define(InspectConfig)))
