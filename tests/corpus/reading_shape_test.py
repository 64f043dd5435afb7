"""What a document is in plain text is found from its lines."""

import random
import re
import textwrap

import pytest

from corpus.reading import plain_shape
from tests.corpus import reading_checks

_WORDS = re.findall(
    r"\w+",
    "the old house stood at end of a long road where nobody had walked for "
    "many years and only wind knew how to open its heavy door",
)
_CHARS = "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏"


def english(draw, num_sentences=3):
    return " ".join(
        " ".join(draw.choices(_WORDS, k=draw.randint(5, 25))).capitalize() + "."
        for _ in range(num_sentences)
    )


def chinese(draw, num_sentences=3):
    return "".join(
        "".join(draw.choices(_CHARS, k=draw.randint(6, 30))) + "。"
        for _ in range(num_sentences)
    )


def texts(make, seed=1, least=1, most=6, count=60):
    draw = random.Random(seed)
    return [make(draw, draw.randint(least, most)) for _ in range(count)]


@pytest.mark.parametrize("make", [english, chinese])
def test_a_book_with_a_blank_line_after_each_paragraph_is_one(make):
    assert plain_shape.shape_of("\n\n".join(texts(make))) == ("file", False)
    indented = "\n\n".join(f"\u3000\u3000{x}" for x in texts(make))
    assert plain_shape.shape_of(indented) == ("file", False)


@pytest.mark.parametrize("make", [english, chinese])
def test_a_book_of_paragraphs_is_one(make):
    assert plain_shape.shape_of("\n".join(texts(make))) == ("file", False)
    assert plain_shape.shape_of(make(random.Random(1), 99)) == ("file", False)


@pytest.mark.parametrize("make", [english, chinese])
def test_sentences_between_blank_lines_are_documents(make):
    """As google-research/bert wants them."""
    documents = [
        "\n".join(texts(make, seed, most=1, count=2 + seed % 9))
        for seed in range(30)
    ]
    found = plain_shape.shape_of("\n\n".join(documents))
    assert found == ("blank_line", False)


@pytest.mark.parametrize("make", [english, chinese])
@pytest.mark.parametrize("separator", ["\n", "\n\n"])
def test_lines_that_are_articles_are_documents(make, separator):
    articles = texts(make, least=15, most=40)
    wanted = "line" if separator == "\n" else "blank_line"
    found = plain_shape.shape_of(separator.join(articles))
    assert found == (wanted, False)


@pytest.mark.parametrize("first", ["", "    ", "\u3000\u3000"])
@pytest.mark.parametrize("separator", ["\n", "\n\n"])
@pytest.mark.parametrize("width", [34, 60, 72])
def test_wrapped_english_is_one_document_of_whole_paragraphs(
    tmp_path, first, separator, width
):
    if not first and separator == "\n":
        return  # Nothing says where a paragraph begins.
    paragraphs = texts(english, least=3)
    wrapped = separator.join(
        textwrap.fill(x, width, initial_indent=first) for x in paragraphs
    )
    assert plain_shape.shape_of(wrapped) == ("file", True)
    assert plain_shape.unwrapped(wrapped) == "\n".join(paragraphs)
    reading_checks.check(
        tmp_path / "a", wrapped.encode(), ["\n".join(paragraphs)]
    )


@pytest.mark.parametrize("separator", ["\n", "\n\n"])
@pytest.mark.parametrize("width", [20, 36])
def test_wrapped_chinese_is_one_document_of_whole_paragraphs(separator, width):
    paragraphs = texts(chinese, least=4)
    wrapped = separator.join(
        "\n".join(line[i : i + width] for i in range(0, len(line), width))
        for line in (f"\u3000\u3000{x}" for x in paragraphs)
    )
    assert plain_shape.shape_of(wrapped) == ("file", True)
    assert plain_shape.unwrapped(wrapped) == "\n".join(paragraphs)
    whole = plain_shape.unwrapped("    a b\n    c 天\n    地 d")
    assert whole == "a b c 天地 d"


def test_an_empty_beginning_has_a_shape():
    assert plain_shape.shape_of("") == ("file", False)
    assert plain_shape.shape_of("\n \n\n") == ("file", False)
