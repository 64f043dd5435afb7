"""Makes the characters of a line tidy; the tally knows what was taken out.

Blanks become one plain blank, entities of HTML the characters that they mean;
what nobody sees goes. All else stays as it is: neither widths nor compatible
forms are folded.
"""

import collections
import html
import html.entities
import re
import unicodedata

from corpus.cleaning import scanning
from corpus.document import num_chars
from corpus.tally import Tally

# An ampersand may have been escaped several times: &amp;amp;lt;.
_ENTITY = re.compile(
    "&(?:(?:amp|#38|#[xX]26);)*"
    "(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});"
)
# More is no text with a few faults.
_MOST_REPLACEMENTS = 0.05


class _Kept(dict):
    """For `str.translate`: None where a character is removed."""

    def __missing__(self, code):
        is_removed = scanning.kind_of(chr(code)) is scanning.Kind.REMOVED
        self[code] = None if is_removed else code
        return self[code]


_KEPT = _Kept()


def unescape(line: str, source: str, tally: Tally) -> str:
    """Returns the line with the characters that entities of HTML stand for.

    What looks like one and is none stays: R&D; and &copy without semicolon.
    """
    num = 0

    def replace(match):
        nonlocal num
        name = match[1]
        if name[0] != "#" and f"{name};" not in html.entities.html5:
            return match[0]
        num += 1
        return html.unescape(f"&{name};")

    replaced = _ENTITY.sub(replace, line)
    if num:
        note(
            tally, "character_entity", num, line, source, _lost(line, replaced)
        )
    return replaced


def has_replacements(line: str) -> bool:
    """Whether U+FFFD stands for too much of the line."""
    num = line.count("\ufffd")
    return num > 0 and num > _MOST_REPLACEMENTS * len(line)


def drop_unseen(line: str, source: str, tally: Tally) -> str:
    """Returns the line without what nobody sees, or is no character."""
    kept = line.translate(_KEPT)
    if len(kept) < len(line):
        _note_unseen(line, source, tally)
    return kept


def _note_unseen(line, source, tally):
    nums = collections.Counter()
    for character, num in collections.Counter(line).items():
        if _KEPT[ord(character)] is None:
            nums[_rule(character)] += num
    for rule, num in nums.items():
        note(tally, rule, num, visible(line), source, num)


def visible(line: str) -> str:
    """Returns the beginning of a line, what nobody sees by its number."""
    return "".join(
        f"<U+{ord(x):04X}>" if _KEPT[ord(x)] is None else x for x in line[:400]
    )


def _rule(character):
    if character == "\ufffd":
        return "character_replacement"
    rules = {"Cc": "character_control", "Cf": "character_invisible"}
    return rules.get(unicodedata.category(character), "character_private")


def tidy_blanks(line: str) -> str:
    """Returns the line with plain blanks, single, and none at its ends."""
    return " ".join(line.split())


def note(
    tally: Tally, rule: str, num: int, text: str, source: str, num_chars: int
) -> None:
    """Notes that a rule did something to `num` of its units in one text."""
    tally.note(rule, text, source, num_chars)
    tally.counts[rule].num += num - 1


def _lost(before, after):
    return num_chars(before) - num_chars(after)
