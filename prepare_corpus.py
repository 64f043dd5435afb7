"""Turns raw text into a corpus: sentences, cleaned, without duplicates.

python prepare_corpus.py --input_file=raw/ --output_dir=corpus
"""

import config_flags
from corpus import config, prepare

if __name__ == "__main__":
    config_flags.run(prepare.prepare, config.CorpusConfig)
