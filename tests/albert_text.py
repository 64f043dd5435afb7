"""ALBERT's text by the letter of its source, and models to read it with.

Written from what google-research/albert's tokenization.py and
create_pretraining_data.py do, a character and a piece at a time, over the
library itself.
"""

import functools
import gzip
import io
import pathlib
import unicodedata

import pytest

from tests import project

SYMBOLS = ["(", ")", '"', "-", ".", "–", "£", "€"]
CORPORA = ("en", "zh_mixed")


def train(lines, vocab_size=1000, **options):
    """Returns the bytes of a model, trained as the README of albert does."""
    sentencepiece = pytest.importorskip("sentencepiece")
    out = io.BytesIO()
    settings = {
        "model_type": "unigram",
        "character_coverage": 0.99995,
        "pad_id": 0,
        "unk_id": 1,
        "bos_id": -1,
        "eos_id": -1,
        "control_symbols": ["[CLS]", "[SEP]", "[MASK]"],
        "user_defined_symbols": SYMBOLS,
    }
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([line for line in lines if line.strip()]),
        model_writer=out,
        vocab_size=vocab_size,
        minloglevel=2,
        num_threads=1,
        **(settings | options),
    )
    return out.getvalue()


@functools.cache
def sample_model():
    """A model of the project's samples, lower case."""
    lines = [preprocess(line) for line in project.sample_lines()]
    return train(lines, 4000, hard_vocab_limit=False)


def write_model(directory, data=None, name="spiece.model"):
    """Writes a model, that of the samples if none is given; its path."""
    path = pathlib.Path(directory) / name
    path.write_bytes(sample_model() if data is None else data)
    return str(path)


def corpus_lines(name, one_in=1):
    """Lines of a corpus of ../shared, the first and each `one_in`th."""
    path = project.shared() / "data" / f"corpus_{name}.txt.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        return file.read().split("\n")[::one_in]


def preprocess(text, lower=True):
    text = " ".join(text.strip().split())
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if not unicodedata.combining(c))
    return text.lower() if lower else text


class FullTokenizer:
    """What google-research/albert calls so, and its preprocessing before."""

    def __init__(self, data, lower=True):
        import sentencepiece

        self._model = sentencepiece.SentencePieceProcessor(model_proto=data)
        self._lower = lower

    def pieces(self, line):
        found = []
        for piece in self._encode(preprocess(line, self._lower)):
            if len(piece) < 2 or piece[-1] != "," or not piece[-2].isdigit():
                found.append(piece)
                continue
            again = self._encode(piece[:-1].replace("▁", ""))
            if piece[0] != "▁" and again[0][0] == "▁":
                if len(again[0]) == 1:
                    del again[0]
                else:
                    again[0] = again[0][1:]
            found += [*again, ","]
        return found

    def ids(self, line):
        return [self._model.piece_to_id(piece) for piece in self.pieces(line)]

    def _encode(self, text):
        return self._model.encode(text, out_type=str)


def is_start(piece):
    """Whether ALBERT's whole-word masks begin a word with the piece."""
    punctuation = set('!"#$%&"()*+,-./:;?@[\\]^_`{|}~')
    letters = set("abcdefghijklmnopqrstuvwxyz")
    if piece[0] in "▁<" or piece in punctuation:
        return True
    return not all(c.lower() in letters | punctuation for c in piece)
