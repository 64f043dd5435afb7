"""What prepare_corpus.py does, in datatrove, as far as it has it.

Its readers, filters and duplicates as they come, set for Chinese; a program of
its own, for a Python that has datatrove:

python benchmarks/datatrove_pipeline.py FILE.jsonl FOLDER [clean|all]
"""

import collections
import sys

from datatrove.pipeline.dedup import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
    SentDedupConfig,
    SentenceDedupFilter,
    SentenceDedupSignature,
    SentenceFindDedups,
)
from datatrove.pipeline.filters import (
    C4QualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter

_CHINESE = "cmn_Hani"


def run(*steps, rank=0, world_size=1):
    """Runs a pipeline in this process, as its executor would."""
    data = None
    for step in steps:
        data = step.run(data, rank, world_size)
    if data is not None:
        collections.deque(data, maxlen=0)


def main(path, folder, what):
    """Cleans a file of JSON lines; with `all`, drops duplicates, too."""
    source, _, name = path.rpartition("/")
    run(
        JsonlReader(source, glob_pattern=name),
        # Thresholds of English words are off; what is left is looked at.
        GopherQualityFilter(
            language=_CHINESE,
            min_doc_words=10,
            min_avg_word_length=None,
            max_avg_word_length=None,
            min_stop_words=None,
            max_non_alpha_words_ratio=None,
        ),
        GopherRepetitionFilter(language=_CHINESE),
        C4QualityFilter(
            language=_CHINESE,
            split_paragraph=False,
            filter_no_terminal_punct=False,
            min_num_sentences=1,
            min_words_per_line=-1,
        ),
        JsonlWriter(f"{folder}/clean", compression=None),
    )
    if what == "all":
        _drop_sentences(folder)
        _drop_near_copies(folder)


def _drop_sentences(folder):
    """Drops spans of three sentences that stand in the corpus before."""
    config = SentDedupConfig()
    run(
        JsonlReader(f"{folder}/clean"),
        SentenceDedupSignature(
            f"{folder}/s1", config=config, language=_CHINESE
        ),
    )
    run(
        SentenceFindDedups(f"{folder}/s1", f"{folder}/s2", config=config),
    )
    run(
        JsonlReader(f"{folder}/clean"),
        SentenceDedupFilter(f"{folder}/s2", config=config, language=_CHINESE),
        JsonlWriter(f"{folder}/sentences", compression=None),
    )


def _drop_near_copies(folder):
    config = MinhashConfig()
    run(
        JsonlReader(f"{folder}/sentences"),
        MinhashDedupSignature(f"{folder}/m1", config=config, language=_CHINESE),
    )
    for bucket in range(config.num_buckets):
        run(
            MinhashDedupBuckets(f"{folder}/m1", f"{folder}/m2", config=config),
            rank=bucket,
            world_size=config.num_buckets,
        )
    run(
        MinhashDedupCluster(f"{folder}/m2", f"{folder}/m3", config=config),
    )
    run(
        JsonlReader(f"{folder}/sentences"),
        MinhashDedupFilter(f"{folder}/m3"),
        JsonlWriter(f"{folder}/done", compression=None),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
