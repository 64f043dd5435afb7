"""How fast text becomes ids here, and by the libraries used plainly.

Ours and each library read the same lines in turns, on one core; the medians of
processor time are compared, and whether the ids are the same. transformers is
asked where it is installed.

RAYON_NUM_THREADS=1 python -m benchmarks.tokenization \\
    --input_file=corpus_en.txt.gz --tokenizer=roberta
python -m benchmarks.tokenization --input_file=corpus_en.txt.gz \\
    --spm_model_file=spiece.model
"""

import contextlib
import dataclasses
import itertools
import os
import statistics
import time
import unicodedata
from collections.abc import Callable, Iterator
from typing import Annotated

import config_flags
from settings.flag import Flag
from storage import inputs
from text import corpus, tokenization, vocabularies
from text.config import VocabularySettings

Encode = Callable[[list[str]], list[list[int]]]
_WARM_UP = 200  # Lines that are read before time is taken.


@dataclasses.dataclass(frozen=True, kw_only=True)
class TokenizationConfig(VocabularySettings):
    """Every setting of benchmarks.tokenization."""

    input_file: Annotated[str, "Text: a comma list of files and globs."]
    do_lower_case: Annotated[bool, "Whether the model is uncased."] = True
    rounds: Annotated[int, Flag("Turns of each.", "positive")] = 3


def run(config: TokenizationConfig) -> None:
    """Measures, and prints a table."""
    os.environ.setdefault("RAYON_NUM_THREADS", "1")
    vocabulary = vocabularies.load(config)
    is_uncased = config.do_lower_case and vocabulary.kind != "byte_pairs"
    tokenizer = tokenization.Tokenizer(vocabulary, is_uncased)
    paths = inputs.expand(config.input_file)
    text = "".join(corpus.read(path) for path in paths)
    lines = [line.strip() for line in text.split("\n")]
    num_bytes = len("\n".join(lines).encode())

    def ours(some: list[str]) -> list[list[int]]:
        ids, starts = tokenizer.tokenize("\n".join(some))
        return [ids[a:b] for a, b in itertools.pairwise(starts)]

    ways = {"ours": ours} | dict(_LIBRARIES[vocabulary.kind](vocabulary))
    for encode in ways.values():
        encode(lines[:_WARM_UP])
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    found = {}
    for _ in range(config.rounds):
        for name, encode in ways.items():
            began = time.process_time()
            found[name] = encode(lines)
            seconds[name].append(time.process_time() - began)
    speeds = {
        name: num_bytes / 1e6 / statistics.median(values)
        for name, values in seconds.items()
    }
    print(f"{num_bytes / 1e6:.1f} MB, {len(lines):,} lines, one core")
    for name, speed in speeds.items():
        same = sum(
            list(a) == list(b)
            for a, b in zip(found[name], found["ours"], strict=True)
        )
        print(
            f"{name:<24} {speed:6.1f} MB/s  ours / it "
            f"{speeds['ours'] / speed:5.2f}  same ids in {same:,} lines"
        )


def _of_bytes(vocabulary) -> Iterator[tuple[str, Encode]]:
    from tokenizers import ByteLevelBPETokenizer

    plain = ByteLevelBPETokenizer(vocabulary.ids, list(vocabulary.merges))
    yield "tokenizers", lambda lines: [x.ids for x in plain.encode_batch(lines)]
    with contextlib.suppress(ImportError):
        from transformers import RobertaTokenizer

        theirs = RobertaTokenizer(vocabulary.ids, list(vocabulary.merges))
        yield "transformers", _plainly(theirs)


def _of_sentence_piece(vocabulary) -> Iterator[tuple[str, Encode]]:
    """The library alone, whose ids differ, and behind ALBERT's preprocessing.

    The latter is a character at a time, as google-research/albert has it.
    """
    import sentencepiece

    ((_, data),) = vocabulary.files
    plain = sentencepiece.SentencePieceProcessor(model_proto=data)
    yield (
        "sentencepiece, batches",
        lambda lines: plain.encode(lines, out_type=int, num_threads=1),
    )
    yield (
        "as ALBERT, uncased",
        lambda lines: [
            plain.encode(_preprocess(x), out_type=int) for x in lines
        ],
    )


def _preprocess(line):
    line = unicodedata.normalize("NFKD", " ".join(line.split()))
    return "".join(c for c in line if not unicodedata.combining(c)).lower()


def _of_words(vocabulary) -> Iterator[tuple[str, Encode]]:
    from tokenizers import BertWordPieceTokenizer

    plain = BertWordPieceTokenizer(vocabulary.ids)
    yield (
        "tokenizers",
        lambda lines: [
            x.ids for x in plain.encode_batch(lines, add_special_tokens=False)
        ],
    )


def _plainly(tokenizer):
    return lambda lines: tokenizer(lines, add_special_tokens=False)["input_ids"]


_LIBRARIES: dict[str, Callable[..., Iterator[tuple[str, Encode]]]] = {
    "wordpiece": _of_words,
    "sentencepiece": _of_sentence_piece,
    "byte_pairs": _of_bytes,
}

if __name__ == "__main__":
    config_flags.run(run, TokenizationConfig)
