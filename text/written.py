"""Writes tokens as the text that they are of, for people."""

from collections.abc import Iterable

from text.byte_pairs import BytePairs, alphabet
from text.vocab import Vocabulary


def text_of(ids: Iterable[int], vocabulary: Vocabulary) -> str:
    """Returns tokens as they are written, with no space at the ends.

    Bytes that are part of a character alone become U+FFFD.

    Args:
        ids: of the tokens.
        vocabulary: of any kind.
    """
    rows = [vocabulary.rows[one] for one in ids]
    if vocabulary.kind == BytePairs.kind:
        codes = bytes(map(alphabet().index, "".join(rows)))
        return codes.decode("utf-8", "replace").strip()
    if vocabulary.kind != Vocabulary.kind:
        return "".join(rows).replace("▁", " ").strip()
    text = ""
    for row in rows:
        if _is_latin(row[:1]) and _is_latin(text[-1:]):
            text += " "
        text += row.removeprefix("##")
    return text


def _is_latin(character):
    return character.isascii() and character.isalnum()
