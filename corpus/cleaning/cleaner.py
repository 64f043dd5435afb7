"""Says what of a document is kept; the tally knows what is not.

Every character that is no blank is kept, or counted under one rule: as many go
in as come out and are noted.
"""

import re

from corpus.cleaning import characters, mojibake, personal, scanning
from corpus.cleaning.config import CleaningSettings
from corpus.cleaning.documents import DocumentRules
from corpus.cleaning.lines import LineRules
from corpus.document import Document, num_chars
from corpus.tally import Tally

# What unescaping and repairing uncover is looked at again; nothing real has
# more layers.
_MOST_LAYERS = 8
# One of these stands in every line that `_without_hopeless` drops.
_HOPELESS = (*mojibake.LOST_SIGNS, "orem ipsum", "OREM IPSUM", "orem Ipsum")
_LOREM_IPSUM = re.compile("lorem ipsum dolor sit", re.IGNORECASE)
# About as long it goes on; more is a text that has it as an example.
_LOREM_IPSUM_CHARS = 600


class Cleaner:
    """Cleans documents, each by itself."""

    def __init__(self, settings: CleaningSettings):
        self._settings = settings
        self._lines = LineRules(settings)
        self._documents = DocumentRules(settings)

    @property
    def languages(self) -> dict[str, int]:
        """How many documents of each language there were, kept or not."""
        return dict(self._documents.languages)

    def clean(self, document: Document, tally: Tally) -> str | None:
        """Returns what is kept of a document.

        Args:
            document: of any text at all.
            tally: is told what is dropped and changed, by `rules.RULES`.

        Returns:
            Its lines, tidy and none of them empty, "\\n" between them; None
            where the document is dropped.
        """
        source = document.source
        # Before anything else is noted, so that no sample has what is to go;
        # and again, as it may have been hidden.
        read = self._remove(_unify_ends(document.text), source, tally)
        tidy, scan = self._tidy(read, source, tally)
        text = self._remove(tidy, source, tally)
        if text != tidy:
            scan = self._scan(text)
        text, scan = self._drop_lines(text, scan, source, tally)
        if not text:
            shown = characters.visible(read)
            tally.note("document_empty", shown, source, 0)
            return None
        rule = self._documents.rule_against(text, scan)
        if rule:
            tally.note(rule, text, source, scan.num_chars)
            return None
        return text

    def _scan(self, text):
        return scanning.scan(text, self._settings.min_line_letters)

    def _tidy(self, text, source, tally):
        """The text with every line rewritten until it is tidy, and its scan."""
        for _ in range(_MOST_LAYERS):
            text = _without_hopeless(text, source, tally)
            scan = self._scan(text)
            rewritten = _rewrite_lines(text, scan.marks, source, tally)
            if rewritten == text:
                return text, scan
            text = rewritten
        return text, self._scan(text)

    def _remove(self, text, source, tally):
        kinds = self._settings.removed_kinds
        if not personal.may_stand_in(text, kinds):
            return text
        lines = (
            personal.remove(line, kinds, source, tally)
            for line in text.split("\n")
        )
        return "\n".join(filter(None, lines))

    def _drop_lines(self, text, scan, source, tally):
        """The text without the lines that a rule drops, and its scan."""
        suspects = (scan.marks & self._lines.looked_at).nonzero()[0].tolist()
        if not suspects or not text:
            return text, scan
        lines = text.split("\n")
        is_whole = True
        for i in suspects:
            rule = self._lines.rule_against(lines[i], int(scan.marks[i]))
            if rule:
                _note(rule, lines[i], source, tally)
                lines[i] = ""
                is_whole = False
        if is_whole:
            return text, scan
        text = "\n".join(filter(None, lines))
        return text, self._scan(text)


def _unify_ends(text):
    for end in ("\r\n", "\r", "\u2028", "\u2029"):
        if end in text:
            text = text.replace(end, "\n")
    return text


def _without_hopeless(text, source, tally):
    """The text without lines that nothing can be made of any more."""
    if not any(sign in text for sign in _HOPELESS):
        return text
    lines = text.split("\n")
    for i, line in enumerate(lines):
        num_chars = len(_LOREM_IPSUM.findall(line)) * _LOREM_IPSUM_CHARS
        if num_chars > 0 and num_chars >= len(line):
            _note("line_lorem_ipsum", line, source, tally)
            lines[i] = ""
        elif mojibake.is_lost(line):
            _note("line_mojibake", line, source, tally)
            lines[i] = ""
    return "\n".join(lines)


def _note(rule, line, source, tally):
    tally.note(rule, characters.visible(line), source, num_chars(line))


def _rewrite_lines(text, marks, source, tally):
    untidy = (marks & scanning.REWRITTEN).nonzero()[0].tolist()
    if not untidy:
        return text
    lines = text.split("\n")
    for i in untidy:
        lines[i] = _rewrite(lines[i], int(marks[i]), source, tally)
    return "\n".join(filter(None, lines))


def _rewrite(line, mark, source, tally):
    """The line without what it is marked with; empty where it is lost."""
    if mark & (scanning.LATIN_BYTES | scanning.GBK_BYTES):
        is_latin = mark & scanning.LATIN_BYTES
        repair = mojibake.repair_latin if is_latin else mojibake.repair_gbk
        repaired = repair(line)
        if repaired is None:
            _note("line_mojibake", line, source, tally)
            return ""
        if repaired != line:
            lost = num_chars(line) - num_chars(repaired)
            shown = characters.visible(line)
            tally.note("line_repaired", shown, source, lost)
            # It is another line now, with marks of its own.
            return repaired.replace("\n", " ")
    if mark & scanning.REMOVED:
        if characters.has_replacements(line):
            _note("line_mojibake", line, source, tally)
            return ""
        line = characters.drop_unseen(line, source, tally)
    if mark & scanning.AMPERSAND:
        line = characters.unescape(line, source, tally)
    return characters.tidy_blanks(line)
