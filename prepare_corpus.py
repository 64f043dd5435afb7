"""Turns raw text into a corpus: sentences, cleaned, without duplicates.

python prepare_corpus.py --input_file=raw/ --output_dir=corpus
"""

import config_flags
from corpus.config import CorpusConfig


def run(config: CorpusConfig) -> None:
    """Imports what brings Numba only once the flags are right."""
    from corpus import prepare

    prepare.prepare(config)


if __name__ == "__main__":
    config_flags.run(run, CorpusConfig)
