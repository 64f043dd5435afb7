"""Files of a word a line, its label last, and a blank line after a sentence."""

import collections
import dataclasses
import re
import unicodedata
from collections.abc import Sequence

from absl import logging

from finetuning.problems import Problems
from finetuning.tagging import json_lines, labels
from finetuning.tagging.labels import Plain, Scheme
from finetuning.tagging.sentences import Sentence
from storage import file_io
from text import corpus, normalization

_DOCUMENT = "-DOCSTART-"
# A character and, behind it, its place in its word.
_WITH_DIGITS = re.compile(r".\d+", re.DOTALL)
# Characters outside the BMP may have become two.
_BEFORE_DIGITS = re.compile(r"(.+?)\d+", re.DOTALL)
# The share of words that must have a form for the file to have it.
_MOST = 0.95
_SPACE = re.compile(" +")
_TAB = re.compile("\t+")


def read(
    path: str,
    problems: Problems,
    *,
    token_digits: str = "auto",
    needs_labels: bool = True,
) -> list[Sentence]:
    """Reads a file, plain or gzipped, of this form or of `json_lines`.

    Columns stand between tabs or spaces, the word first, the label last. Byte
    order mark, CRLF, -DOCSTART- and comments before a sentence are dropped.

    Args:
        path: local or remote.
        problems: gets the rows that have other columns than most; their
            sentences are left out.
        token_digits: "strip" takes the digits off words such as 口0, "keep"
            does not, "auto" does where nearly all words are of this form.
        needs_labels: whether a single column is an error.

    Returns:
        Sentences whose labels are as in the file.

    Raises:
        ValueError: no labels, or no sentence.
    """
    if not file_io.exists(path):
        raise ValueError(f"no file {path!r}")
    text = corpus.read(path)
    if json_lines.is_here(text):
        sentences = json_lines.read(
            text, path, problems, needs_labels=needs_labels
        )
        if not sentences:
            raise ValueError(f"{path}: no sentence is left")
        return sentences
    rows = [_columns(line) for line in text.split("\n")]
    counts = collections.Counter(len(row) for row in rows if row)
    if not counts:
        raise ValueError(f"{path}: no words")
    num_columns = counts.most_common(1)[0][0]
    if num_columns == 1 and needs_labels:
        line = next(n for n, row in enumerate(rows, 1) if len(row) == 1)
        raise ValueError(
            f"{path}, line {line}: one column ({rows[line - 1][0]!r}), wanted "
            "a word and, last in the line, its label, with a tab or a space "
            "between them"
        )
    groups = list(_groups(path, rows, num_columns, problems))
    if not groups:
        raise ValueError(f"{path}: no sentence is left")
    is_stripped = _has_digits(path, groups, token_digits)
    return [
        _make(path, line, group, num_columns > 1, is_stripped)
        for line, group in groups
    ]


def split_text(text: str, path: str, line: int, *, cut: bool) -> Sentence:
    """Returns a plain text as a sentence without labels.

    Args:
        text: one line.
        path, line: where it is from.
        cut: whether each character is a word; else words are those of BERT.
    """
    stands_alone = _is_visible if cut else _stands_alone
    spread = "".join(f" {c} " if stands_alone(c) else c for c in text)
    words, starts, place = tuple(spread.split()), [], 0
    for word in words:
        starts.append(text.index(word, place))
        place = starts[-1] + len(word)
    return Sentence(words, None, text, tuple(starts), path, line)


def _is_visible(character):
    return not character.isspace()


def _stands_alone(character):
    return normalization.is_chinese(character) or normalization.is_punctuation(
        character
    )


def _columns(line):
    """Returns the columns of a line, none where it is blank."""
    line = line.rstrip(" \t\r")
    if not line:
        return []
    between = _TAB if "\t" in line else _SPACE
    word, *others = between.split(line)
    # A line that begins with a separator has a space for its word.
    return [word or " ", *(column.strip(" ") for column in others)]


def _groups(path, rows, num_columns, problems):
    """Yields (line of the first word, rows) of each whole sentence."""
    group, ragged = [], None
    for line, row in enumerate([*rows, []], start=1):
        if not row or row[0] == _DOCUMENT:
            if ragged:
                problems.skip(
                    f"{path}, line {ragged}",
                    f"not {num_columns} columns, as most rows have; its "
                    "sentence cannot be used",
                )
            elif group:
                yield line - len(group), group
            group, ragged = [], None
        elif not (group or ragged) and _is_comment(row, num_columns):
            continue
        elif len(row) == num_columns:
            group.append(row)
        else:
            ragged = ragged or line


def _is_comment(row, num_columns):
    """Whether the first row of a sentence is a comment, such as "# id 7"."""
    is_word = row[0] == "#" or not row[0].startswith("# ")
    return row[0].startswith("#") and not (is_word and len(row) == num_columns)


def _has_digits(path, groups, token_digits):
    """Whether the digits behind the words are taken off."""
    if token_digits != "auto":
        return token_digits == "strip"
    words = [row[0] for _, group in groups for row in group]
    with_digits = [word for word in words if _WITH_DIGITS.fullmatch(word)]
    if len(with_digits) < _MOST * len(words):
        return False
    logging.info(
        "%s: the digits behind its words (%s ...) are taken off; "
        "--token_digits=keep leaves them",
        path,
        " ".join(words[:3]),
    )
    return True


def _make(path, line, group, is_labelled, is_stripped):
    words = tuple(row[0] for row in group)
    if is_stripped:
        matches = map(_BEFORE_DIGITS.fullmatch, words)
        words = tuple(
            match[1] if match else word
            for match, word in zip(matches, words, strict=True)
        )
    tags = tuple(row[-1] for row in group) if is_labelled else None
    return Sentence(words, tags, *join(words), path, line)


def join(words: Sequence[str]) -> tuple[str, tuple[int, ...]]:
    """Returns the text of words, and where each of them starts in it.

    One space is between words, but none beside a Chinese (or another wide)
    character, and none at all in Chinese text cut into single characters.
    """
    is_wide = [(_is_wide(word[0]), _is_wide(word[-1])) for word in words]
    is_cut = any(a for a, _ in is_wide) and all(len(x) == 1 for x in words)
    text, starts = "", []
    for number, word in enumerate(words):
        if number and not (
            is_cut or is_wide[number - 1][1] or is_wide[number][0]
        ):
            text += " "
        starts.append(len(text))
        text += word
    return text, tuple(starts)


def are_characters(sentences: Sequence[Sentence]) -> bool:
    """Whether nearly all words are single characters, some of them Chinese."""
    words = [word for sentence in sentences for word in sentence.words]
    single = [word for word in words if len(word) == 1]
    return len(single) >= _MOST * len(words) and any(map(_is_wide, single))


def _is_wide(character):
    return unicodedata.east_asian_width(character) in "WF"


def scheme_of(sentences: Sequence[Sentence]) -> Scheme | Plain:
    """Returns the scheme that the labels of sentences follow.

    Raises:
        ValueError: a label follows none; names file and line.
    """
    present = {label for sentence in sentences for label in sentence.gold}
    try:
        return labels.scheme_of(present)
    except ValueError:
        check(sentences, Scheme([labels.OUTSIDE]))
        raise


def check(
    sentences: Sequence[Sentence],
    scheme: Scheme | Plain,
    known: Sequence[str] | None = None,
) -> None:
    """Refuses labels of another form, or that are not among known ones.

    Args:
        sentences: with labels.
        scheme: says what form a label has.
        known: the labels there may be; None allows any.

    Raises:
        ValueError: names file and line.
    """
    for sentence in sentences:
        for word, label in enumerate(sentence.gold):
            try:
                scheme.check(label)
            except ValueError as error:
                raise ValueError(f"{sentence.place(word)}: {error}") from None
            if known is not None and label not in known:
                raise ValueError(
                    f"{sentence.place(word)}: label {label!r} is not among the "
                    f"known ones, {', '.join(known)}"
                )


def repair(
    sentences: Sequence[Sentence], scheme: Scheme | Plain
) -> list[Sentence]:
    """Returns the sentences with labels as `Scheme.repair` reads them."""
    repaired, num_changed, first = [], 0, None
    for sentence in sentences:
        wanted = scheme.repair(sentence.gold)
        changed = [
            word
            for word, pair in enumerate(zip(sentence.gold, wanted, strict=True))
            if pair[0] != pair[1]
        ]
        if changed:
            first = first or (
                sentence.place(changed[0]),
                sentence.gold[changed[0]],
                wanted[changed[0]],
            )
            num_changed += len(changed)
            sentence = dataclasses.replace(sentence, labels=wanted)
        repaired.append(sentence)
    if first:
        logging.warning(
            "%s labels begin or end no entity where they should (%s: %s is "
            "read as %s)",
            num_changed,
            *first,
        )
    return repaired
