"""Takes addresses and numbers of people out of lines, where asked.

What stood there becomes a blank, and the text around it stays. Samples in the
tally show the beginning only, as what is taken out shall not stand in reports.
"""

import re
from collections.abc import Collection

from corpus.cleaning import characters
from corpus.document import num_chars
from corpus.tally import Tally

# GB 11643-1999: the weights of the first 17 digits; the sum modulo 11 says
# what the last one is.
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_FEWEST_DIGITS, _MOST_DIGITS = 8, 15  # of a number of ITU-T E.164


def _digits(text):
    return [int(x) for x in text if x.isdigit()]


def _is_id_card(text):
    total = sum(w * int(x) for w, x in zip(_ID_WEIGHTS, text[:17], strict=True))
    return _ID_CHECKS[total % 11] == text[17].upper()


def _is_bank_card(text):
    """Luhn's check, ISO/IEC 7812."""
    digits = _digits(text)[::-1]
    doubled = (sum(divmod(2 * x, 10)) for x in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _is_phone(text):
    return not text.startswith("+") or (
        _FEWEST_DIGITS <= len(_digits(text)) <= _MOST_DIGITS
    )


def _always(text):
    return True


# In this order, so that no part of one is taken for another.
# {kind: (pattern, what says whether a match is one)}
_PATTERNS = {
    "url": (
        r"(?:(?:https?|ftp)://|(?<![a-z0-9.])www\.)[a-z0-9./?&=#%_~:@!$*+,;'-]+"
        r"(?<![.,;:!?'])",
        _always,
    ),
    "email": (
        r"(?<![a-z0-9._%+-])[a-z0-9._%+-]{1,64}@"
        r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z]{2,24}"
        r"(?![a-z0-9])",
        _always,
    ),
    "id_card": (
        r"(?<![0-9a-z])[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])"
        r"(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9x](?![0-9a-z])",
        _is_id_card,
    ),
    "bank_card": (
        r"(?<![0-9a-z.])[3-6][0-9]{3}(?:[ -]?[0-9]{4}){3}(?:[ -]?[0-9]{1,3})?"
        r"(?![0-9a-z])",
        _is_bank_card,
    ),
    "phone": (
        r"(?<![0-9a-z.+-])(?:"
        r"(?:(?:\+|00)86[ -]?)?1[3-9][0-9](?:[ -]?[0-9]{4}){2}"
        r"|(?:(?:\+|00)86[ -]?)?(?:\(0[0-9]{2,3}\) ?|0[0-9]{2,3}[ -])"
        r"[2-9][0-9]{2,3}[ -]?[0-9]{4}(?:[-转][0-9]{1,5})?"
        r"|(?:010|02[0-9])[2-9][0-9]{7}"
        r"|[48]00-?[0-9]{3}-?[0-9]{4}"
        r"|\+[1-9][0-9]{0,2}(?:[ -]?\(?[0-9]{1,4}\)?){2,6}"
        r")(?![0-9a-z])",
        _is_phone,
    ),
}
KINDS = tuple(_PATTERNS)
_COMPILED = {
    kind: (re.compile(pattern, re.IGNORECASE | re.ASCII), is_one)
    for kind, (pattern, is_one) in _PATTERNS.items()
}
# A line without one of these has none of a kind: a look that costs little.
_NUMBER_SIGN = re.compile("[0-9０-９(（+＋][0-9０-９()（） －-]{6}")
_SIGNS = {
    "url": re.compile("://|[wW]{3}[.]"),
    "email": re.compile("[@＠]"),
    "id_card": _NUMBER_SIGN,
    "bank_card": _NUMBER_SIGN,
    "phone": _NUMBER_SIGN,
}
# Full-width letters, digits and marks, as wide as they are long.
_NARROW = {0xFEE0 + x: x for x in range(0x2B, 0x7B) if chr(x) not in ",:;<=>?"}
_WIDE = re.compile("[\uff0b-\uff5a]")


def may_stand_in(text: str, kinds: Collection[str]) -> bool:
    """Whether `remove` is worth a call for one of the lines of a text."""
    signs = {_SIGNS[kind] for kind in kinds}
    return any(sign.search(text) for sign in signs)


def remove(line: str, kinds: Collection[str], source: str, tally: Tally) -> str:
    """Returns a line without what is of these kinds, each with a note.

    Args:
        line: one line, its blanks tidy; so are those of what is returned.
        kinds: some of `KINDS`.
        source: as a `Document` has it.
        tally: is told.
    """
    for kind, (pattern, is_one) in _COMPILED.items():
        if kind not in kinds or not _SIGNS[kind].search(line):
            continue
        narrow = line
        if kind != "url" and _WIDE.search(line):
            narrow = line.translate(_NARROW)
        spans = [
            match.span()
            for match in pattern.finditer(narrow)
            if is_one(match[0])
        ]
        if spans:
            line = _without(line, spans, f"personal_{kind}", source, tally)
    return line


def _without(line, spans, rule, source, tally):
    kept, place = [], 0
    for first, last in spans:
        taken = line[first:last]
        shown = taken[:4] + "*" * (len(taken) - 4)
        tally.note(rule, shown, source, num_chars(taken))
        kept.append(line[place:first])
        place = last
    kept.append(line[place:])
    return characters.tidy_blanks(" ".join(kept))
