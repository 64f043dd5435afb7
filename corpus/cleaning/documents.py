"""Says of a document's lines by which rule all of them are dropped."""

import collections
import re
from collections.abc import Iterable

from corpus.cleaning import languages, repetition
from corpus.cleaning.config import CleaningSettings
from corpus.cleaning.lines import ends_as_sentence
from corpus.cleaning.scanning import Scan
from storage import file_io

# In fewer lines a title that stands twice, or a sentence that trails off, is a
# large share.
_FEWEST_LINES = 5
_LONG_LINE = 40  # characters that somebody wrote without a mark at the end
_BULLETS = frozenset("-*•●○◦▪■□◆◇►▶➢➤✓✔·‣⁃※★☆")
# What is cut off ends so; a Chinese sentence may end in …… as it is.
_ELLIPSIS = re.compile("(?:(?<!…)…|(?<!\\.)\\.{3})[\"'”’」』）)\\]]{0,2}$")


class DocumentRules:
    """The rules of documents, as the settings have them."""

    def __init__(self, settings: CleaningSettings):
        self._settings = settings
        self._wanted = settings.wanted_languages
        path = settings.bad_words_file
        self._bad_words = BadWords(_read_words(path)) if path else None
        # Of all documents that have letters enough to tell.
        self.languages: collections.Counter[str] = collections.Counter()

    def rule_against(self, text: str, scan: Scan) -> str | None:
        """Returns the rule that drops a document, or None.

        Args:
            text: its lines, none of them empty.
            scan: what the text holds.
        """
        settings = self._settings
        if scan.num_chars < settings.min_document_chars:
            return "document_short"
        if scan.num_letters < settings.min_document_letters * scan.num_chars:
            return "document_symbols"
        language = languages.language_of(text, scan)
        self.languages[language] += 1
        if not self._wanted & {language, "all"}:
            return "document_language"
        lines = text.split("\n")
        if settings.require_sentence and not _has_sentence(lines):
            return "document_no_sentence"
        if rule := self._rule_against_lines(lines, len(text)):
            return rule
        if (
            settings.max_repeated_chars < 1
            and repetition.repeated_share(scan.codes)
            > settings.max_repeated_chars
        ):
            return "document_repeated"
        if self._bad_words and self._bad_words.stand_in(text):
            return "document_bad_words"
        return None

    def _rule_against_lines(self, lines, num_chars):
        settings = self._settings
        if len(lines) < _FEWEST_LINES:
            return None
        distinct = set(lines)
        num_again = len(lines) - len(distinct)
        if num_again:
            chars_again = num_chars - sum(map(len, distinct)) - len(lines) + 1
            if num_again > settings.max_duplicate_lines * len(lines):
                return "document_duplicate_lines"
            if chars_again > settings.max_duplicate_chars * num_chars:
                return "document_duplicate_chars"
        num = sum([line[0] in _BULLETS for line in lines])
        if num > settings.max_bullet_lines * len(lines):
            return "document_bullets"
        ends = [line[-6:] for line in lines if line[-1] not in "。！？"]
        num = sum([_ELLIPSIS.search(end) is not None for end in ends])
        if num > settings.max_ellipsis_lines * len(lines):
            return "document_ellipses"
        return None


def _has_sentence(lines):
    return any(
        len(line) >= _LONG_LINE or ends_as_sentence(line) for line in lines
    )


class BadWords:
    """Finds words in texts: those of ASCII as whole words, others anywhere."""

    def __init__(self, words: Iterable[str]):
        self._words: dict[str, tuple[str, ...]] = {}
        for word in sorted({word.lower() for word in words}):
            self._words[word[0]] = (*self._words.get(word[0], ()), word)
        firsts = "".join(map(re.escape, self._words))
        self._first = re.compile(f"[{firsts}]") if firsts else None

    def stand_in(self, text: str) -> bool:
        """Whether one of the words stands in a text, in any case."""
        if self._first is None:
            return False
        text = text.lower()
        for match in self._first.finditer(text):
            place, words = match.start(), self._words[match[0]]
            if text.startswith(words, place) and any(
                _stands_at(text, place, word) for word in words
            ):
                return True
        return False


def _stands_at(text, place, word):
    if not text.startswith(word, place):
        return False
    end = place + len(word)
    around = text[max(0, place - 1) : place], text[end : end + 1]
    return not word.isascii() or not any(
        x.isascii() and x.isalnum() for x in around
    )


def _read_words(path):
    try:
        text = file_io.read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"--bad_words_file={path} must be UTF-8: {error}"
        ) from None
    return [word for line in text.splitlines() if (word := line.strip())]
