"""Reads record files, checks them, and tells what was found."""

from collections.abc import Sequence

from absl import logging

from data.laws import LAWS
from jobs.progress import Progress
from storage import file_io, inputs
from text import vocabularies
from tools.inspect_records import InspectConfig
from tools.inspection import files, findings, page, report
from tools.inspection.statistics import Statistics


def inspect(paths: list[str], config: InspectConfig) -> report.Inspection:
    """Reads and checks record files.

    Raises:
        ValueError, OSError: a file or the vocabulary cannot be read.
    """
    vocabulary = None
    if config.vocabulary_path:
        vocabulary = vocabularies.load(config)
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
