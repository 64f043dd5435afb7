"""A guide in Chinese says what its twin in English says.

Commands, what stands in backticks, flags, figures, tables row by row, headings
and links are held equal; a comment and what an echo says may differ.
"""

import collections
import itertools
import posixpath
import re

import pytest

from tests import project
from tests.docs_test import anchors

ROOT = project.ROOT
# Pages for developers, which are in English alone.
_ALONE = {"docs/design.md", "docs/extending.md"}
_PAGES = {
    path.relative_to(ROOT).as_posix()
    for pattern in ("README*.md", "docs/*.md", "vocab/*.md")
    for path in ROOT.glob(pattern)
}
TWINS = {
    page.replace(".zh-CN", ""): page for page in _PAGES if ".zh-CN." in page
}
_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FLAG = re.compile(r"(?<![\w-])--([a-z][a-z0-9_]*)")
# A name with a number in it, as H100 or UTF-8, or a version, as 2.32.3.
_WORD = re.compile(
    r"(?<![\w.])(?:[a-z][a-z_]*-?\d\w*|\d+(?:\.\d+){2,})", re.ASCII | re.I
)
_SCALE = {"": 1, "M": 1e6, "million": 1e6, "G": 1e9, "万": 1e4, "亿": 1e8}
# A number and its scale; that of the last of "12, 18 and 60 million" is of all.
_FIGURE = re.compile(
    r"(?<![A-Za-z0-9_./])(?<![^0-9]-)(\d+(?:,\d{3})*(?:\.\d+)?|\.\d+)(e-?\d+)?"
    r"(?=\s?([MG])(?![A-Za-z])"
    r"|(?:(?:,\s|\sand\s|、|\s?和\s)[\d.]+)*\s?(million|万|亿))?"
)
_CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")

Part = collections.namedtuple("Part", "heading text rows")


def _read(page):
    return (ROOT / page).read_text(encoding="utf-8")


def _commands(text):
    """Yields the code of each block that has a language, without comments."""
    for language, code in _FENCE.findall(text):
        if language:
            code = code.replace("\\\n", " ")
            code = re.sub(r"(?:^|(?<=\s))#.*$", "", code, flags=re.MULTILINE)
            code = re.sub(r"echo '[^']*'", "echo TEXT", code)
            yield " ".join(code.split())


def _names(text):
    """Returns what stands in backticks, and flags and names with a number."""
    spans = (" ".join(span.split()) for span in _SPAN.findall(text))
    return {
        *(x for x in spans if not _CHINESE.search(x)),
        *(f"--{flag}" for flag in _FLAG.findall(text)),
        *_WORD.findall(_LINK.sub("]", _SPAN.sub("", text)).lower()),
    }


def _figures(text):
    """Counts the numbers of a text; those in code and in links are left out."""
    text = _WORD.sub("", _LINK.sub("]", _SPAN.sub("", text)))
    return collections.Counter(
        f"{float(digits.replace(',', '') + power) * _SCALE[near + far]:.15g}"
        for digits, power, near, far in _FIGURE.findall(text)
    )


def _parts(text):
    """Yields a Part from heading to heading, without blocks of commands."""
    text = _FENCE.sub(lambda block: "" if block[1] else block[2], text)
    lines = ["", *text.split("\n")]
    starts = [i for i, x in enumerate(lines) if re.match(r"#{1,6} ", x)]
    for start, end in itertools.pairwise([0, *starts, len(lines)]):
        body = lines[start:end]
        rows = [x for x in body if x.startswith("|")]
        rest = "\n".join(x for x in body if not x.startswith("|"))
        yield Part(lines[start], rest, rows)


def _blocks(text):
    """Counts the paragraphs and the items of lists."""
    items = re.findall(r"^\s*(?:[*-]|\d+\.) ", text, re.MULTILINE)
    paragraphs = re.split(r"\n\s*\n", text.strip())
    return collections.Counter(item=len(items), paragraph=len(paragraphs))


def _unlike(left, right):
    """Returns "+a -b": what only the right has, and what only the left has."""
    left, right = collections.Counter(left), collections.Counter(right)
    more = sorted(f"+{x}" for x in (right - left).elements())
    return " ".join(more + sorted(f"-{x}" for x in (left - right).elements()))


def _unlike_rows(row, twin):
    """Returns how two rows of tables differ: in figures, in what they name."""
    cells, others = row.split(" | "), twin.split(" | ")
    if len(cells) != len(others):
        return f"{len(cells)} cells, {len(others)}"
    figures = map(_unlike, map(_figures, cells), map(_figures, others))
    names = _unlike(_names(row), _names(twin))
    return " ".join(filter(None, [*figures, names]))


def differences(english, chinese):
    """Yields a line for each thing that two texts say differently."""
    for left, right in itertools.zip_longest(
        _commands(english), _commands(chinese), fillvalue=""
    ):
        if left != right:
            yield f"command: {left!r} and {right!r}"
    parts = list(_parts(english)), list(_parts(chinese))
    levels = [[x.heading.count("#") for x in page] for page in parts]
    if levels[0] != levels[1]:
        yield f"headings: levels {levels[0]} and {levels[1]}"
    for left, right in zip(*parts, strict=False):
        everything = ["\n".join([x.text, *x.rows]) for x in (left, right)]
        if names := _unlike(*map(_names, everything)):
            yield f"names of {right.heading!r}: {names}"
        if figures := _unlike(_figures(left.text), _figures(right.text)):
            yield f"text of {right.heading!r}: {figures}"
        if blocks := _unlike(_blocks(left.text), _blocks(right.text)):
            yield f"blocks of {right.heading!r}: {blocks}"
        for row, twin in itertools.zip_longest(
            left.rows, right.rows, fillvalue=""
        ):
            if unlike := _unlike_rows(row, twin):
                yield f"row {(twin or row)[:40]!r}: {unlike}"


def _links(page):
    """Yields (link, English page that it leads to, number of the heading).

    The links between a page and its twin, without an anchor, are left out.
    """
    folder, own = posixpath.dirname(page), page.replace(".zh-CN", "")
    for link in _LINK.findall(_FENCE.sub("", _read(page))):
        file, _, anchor = link.partition("#")
        if "://" in link:
            yield link, link, -1
            continue
        target = posixpath.normpath(posixpath.join(folder, file))
        target = target if file else page
        if target in {own, TWINS[own]} - {page} and not anchor:
            continue
        place = list(anchors(_read(target))).index(anchor) if anchor else -1
        yield link, target.replace(".zh-CN", ""), place


@pytest.mark.parametrize("english", sorted(TWINS))
def test_a_guide_and_its_twin_say_the_same(english):
    found = list(differences(_read(english), _read(TWINS[english])))
    assert not found, "\n".join(f"{TWINS[english]}: {x}" for x in found)


@pytest.mark.parametrize("english", sorted(TWINS))
def test_a_guide_and_its_twin_link_to_the_same_places(english):
    links = [list(_links(page)) for page in (english, TWINS[english])]
    unlike = _unlike(*(((to, place) for _, to, place in x) for x in links))
    assert not unlike, f"{TWINS[english]}: {unlike}"
    for link, target, _ in links[1]:
        chinese = ".zh-CN." in link or link.startswith("#")
        assert chinese or target not in TWINS, f"{TWINS[english]}: {link}"


def test_every_guide_has_a_twin_and_both_begin_with_a_link_to_the_other():
    without = {x for x in _PAGES if ".zh-CN." not in x} - TWINS.keys() - _ALONE
    assert not without
    for page, twin in [*TWINS.items(), *((y, x) for x, y in TWINS.items())]:
        third = _read(page).split("\n")[2]
        assert f"]({posixpath.basename(twin)})" in third, page


def test_every_guide_is_named_by_both_readmes():
    guides = TWINS.keys() - {"README.md"}
    for readme in ("README.md", TWINS["README.md"]):
        assert not guides - {target for _, target, _ in _links(readme)}, readme


@pytest.mark.parametrize("page", sorted(_PAGES))
def test_bold_words_are_rendered(page):
    """A mark behind 。 and before a word closes nothing, by CommonMark."""
    markdown = pytest.importorskip("markdown_it").MarkdownIt()
    inline = [x.children for x in markdown.parse(_read(page)) if x.children]
    texts = [x.content for x in itertools.chain(*inline) if x.type == "text"]
    assert not [text for text in texts if "**" in text]


_PAGE = """# A

```bash
run --x=1  # so
```

`--y` is 0.5.

| `a` | 3 |
"""
_TWIN = _PAGE.replace("A", "甲").replace("so", "也").replace(" is ", "是 ")


@pytest.mark.parametrize(
    "old, new, told",
    [
        ("--x=1", "--x=2", ["command: 'run --x=1' and 'run --x=2'"]),
        ("`--y`", "`--z`", ["names of '# 甲': +--z ---y"]),
        ("0.5", "0.6", ["text of '# 甲': +0.6 -0.5"]),
        ("| 3 |", "| 4 |", ["row '| `a` | 4 |': +4 -3"]),
        ("| 3 |", "| 3 | |", ["row '| `a` | 3 | |': 2 cells, 3"]),
        ("# 甲", "## 甲", ["headings: levels [0, 1] and [0, 2]"]),
        ("\n\n| ", "\n\n还有。\n\n| ", ["blocks of '# 甲': +paragraph"]),
        ("# 也", "# 一样", []),
    ],
)
def test_what_differs_is_told(old, new, told):
    assert list(differences(_PAGE, _TWIN.replace(old, new, 1))) == told


def test_a_figure_is_the_same_in_both_ways_of_counting():
    assert _figures("12, 18 and 235 million") == _figures(
        "1,200 万、1,800 万和 2.35 亿"
    )
    assert _figures("10.0 M and 42.6 G, 7 MB") == _figures(
        "1,000 万、426 亿、7 MB"
    )
    assert _figures("10.0 M") != _figures("100 万")
