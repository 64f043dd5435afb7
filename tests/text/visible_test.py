"""Characters are written as they are where a person sees them."""

import pytest

from text.visible import visible


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("海", "海"),
        ("a", "a"),
        ("e\u0301", "e\u0301"),
        ("📚", "📚"),
        ("\u0301", "U+0301"),
        ("\ufe0f", "U+FE0F"),
        ("\u200b", "U+200B"),
        ("\u3000", "U+3000"),
        (" ", "U+0020"),
        ("\x00\n", "U+0000 U+000A"),
        ("", ""),
    ],
)
def test_what_is_not_seen_is_named(text, wanted):
    assert visible(text) == wanted
