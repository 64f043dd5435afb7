"""Says of a tidy line by which rule it is dropped, if it is."""

import re

from corpus.cleaning import boilerplate, scanning
from corpus.cleaning.config import CleaningSettings
from corpus.document import num_chars

_CLOSING = "\"'”’」』）》〉】)]}»›"
# What a sentence ends in: a mark, and closing quotes and brackets behind it.
_END = re.compile(f'[。！？!?.…；;][{re.escape(_CLOSING)}]{{0,8}}$|[”」』"]$')
_BRACES = re.compile("[{}]")


def ends_as_sentence(line: str) -> bool:
    """Whether a line ends in a final mark, or in a closing quote."""
    return _END.search(line, max(0, len(line) - 9)) is not None


class LineRules:
    """The rules of lines, as the settings have them."""

    def __init__(self, settings: CleaningSettings):
        self._settings = settings
        # Lines without one of these marks are kept.
        self.looked_at = (
            scanning.FEW_LETTERS | scanning.RUN | scanning.LONG_WORD
        )
        if settings.drop_boilerplate:
            self.looked_at |= scanning.SHORT
        if (
            settings.min_line_chars
            or settings.drop_braces
            or settings.require_end_mark
        ):
            self.looked_at |= scanning.ANY

    def rule_against(self, line: str, mark: int) -> str | None:
        """Returns the rule that drops a line, or None.

        Args:
            line: one line, tidy and not empty.
            mark: what `scanning` marked it with.
        """
        settings = self._settings
        if mark & scanning.FEW_LETTERS:
            return "line_symbols"
        if mark & scanning.RUN:
            return "line_run"
        if mark & scanning.LONG_WORD:
            return "line_long_word"
        if (
            settings.min_line_chars
            and num_chars(line) < settings.min_line_chars
        ):
            return "line_short"
        if settings.drop_braces and _BRACES.search(line):
            return "line_braces"
        if (
            settings.drop_boilerplate
            and mark & scanning.SHORT
            and boilerplate.is_boilerplate(line, mark & scanning.MENU > 0)
        ):
            return "line_boilerplate"
        if settings.require_end_mark and not ends_as_sentence(line):
            return "line_no_end_mark"
        return None
