"""Turns raw text into a corpus: sentences, cleaned, without duplicates.

python prepare_corpus.py --input_file=raw/ --output_dir=corpus
"""

import dataclasses
import os

import config_flags
from corpus.config import CorpusConfig
from storage import inputs
from text import vocabularies

_SAMPLES = os.path.join(os.path.dirname(__file__), "samples", "heldout")


def run(config: CorpusConfig) -> None:
    """Looks at the files, and only then imports what brings Numba."""
    if not config.reads_standard_input:
        inputs.look(config.input_file, "input_file", is_raw=True)
    if config.vocabulary_path:
        vocabularies.find(config)
    from corpus import prepare
    from text import compiled

    compiled.warm_up(
        "preparing", lambda folder: prepare.prepare(_few(config, folder))
    )
    prepare.prepare(config)


def _few(config: CorpusConfig, folder: str) -> CorpusConfig:
    """Returns the settings of a small corpus, which takes a second."""
    return dataclasses.replace(
        config,
        input_file=_SAMPLES,
        output_dir=os.path.join(folder, "corpus"),
        encoding="UTF-8",
        engine="local",
    )


if __name__ == "__main__":
    config_flags.run(run, CorpusConfig)
