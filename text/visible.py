"""Writes characters so that a person sees which they are."""

import unicodedata

# Letters, numbers, punctuation, symbols; marks stand on what is before them.
_SEEN = "LNPS"


def visible(text: str) -> str:
    """Returns a short text as it is, or as U+0301 U+200B where it is not seen.

    Args:
        text: a character, or a row of a vocabulary.
    """
    if text.isprintable() and any(
        unicodedata.category(character)[0] in _SEEN for character in text
    ):
        return text
    return " ".join(f"U+{ord(character):04X}" for character in text)
