"""What a request to predict gives, as the lines that tools.predict reads."""

from collections.abc import Mapping, Sequence
from typing import Any

# A text, several of them, or named ones.
Input = str | Sequence[str] | Mapping[str, str]

# Names that the texts of an input may have, in their order.
_NAMES = (("question", "context"), ("text_a", "text_b"), ("text",))
# What ends a line or a text of a line. A space is as long, so that places in
# the text stay.
_BLANKS = str.maketrans(dict.fromkeys("\t\n\r", " "))


def lines(asked: Sequence[Input], num_texts: int) -> list[str]:
    """Returns a line for each input, its texts with tabs between them.

    Args:
        asked: the inputs.
        num_texts: how many texts the model wants of each.

    Raises:
        ValueError: an input has another number of texts, or other names.
    """
    return [_line(number, one, num_texts) for number, one in enumerate(asked)]


def _line(number: int, asked: Any, num_texts: int) -> str:
    if isinstance(asked, str):
        texts = asked.split("\t") if num_texts > 1 else [asked]
    elif isinstance(asked, Mapping):
        texts = _named(number, asked)
    else:
        texts = list(asked)
    if len(texts) != num_texts:
        wanted = "one text" if num_texts == 1 else f"{num_texts} texts"
        raise ValueError(
            f"inputs[{number}] has {len(texts)}, and the model reads {wanted}"
        )
    return "\t".join(text.translate(_BLANKS) for text in texts)


def _named(number, asked):
    for names in _NAMES:
        if set(asked) == set(names):
            return [asked[name] for name in names]
    wanted = " or ".join(" and ".join(names) for names in _NAMES)
    raise ValueError(f"inputs[{number}]: wanted are the keys {wanted}")


def characters(asked: Input) -> int:
    """Returns how many characters an input has."""
    if isinstance(asked, str):
        return len(asked)
    texts = asked.values() if isinstance(asked, Mapping) else asked
    return sum(map(len, texts))
