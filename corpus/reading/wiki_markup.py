"""The markup of MediaWiki to plain text, a paragraph a line.

    {{Infobox|..}} '''数学'''是[[科学|学科]]<ref>..</ref>。  ->  数学是学科。

Templates, tables, files, categories and references go; links leave their
words, headings and items of lists their lines. What is never closed is taken
as text, so that one mistake of an author does not swallow a page.
"""

import collections
import html
import itertools
import re

from corpus.reading import wiki_variants

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
# Elements that hold no sentences.
_DROPPED = (
    "ref|references|math|chem|gallery|timeline|syntaxhighlight|source|score|"
    "imagemap|templatestyles|graph|mapframe|maplink|hiero|table|style|script|"
    "includeonly|inputbox|categorytree|section"
)
_ELEMENT = re.compile(
    rf"<({_DROPPED})\b[^<>]*?(?:/>|>(?:(?!<\1\b).)*?</\1\s*>)",
    re.DOTALL | re.IGNORECASE,
)
_NO_HEADING = 7
_MOST_NESTED = 8
_BREAK = re.compile(
    r"<(?:br|p|/p|div|/div|li|/li|hr|blockquote|/blockquote|h\d|/h\d)\b[^<>]*>",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]*)?/?>")
_TOKEN = re.compile(
    r"\{\{|\}\}|^[ \t:]*\{\||^[ \t]*\|\}|\[\[|\]\]|-\{|\}-", re.MULTILINE
)
_CLOSES = {"}}": "{{", "|}": "{|", "]]": "[[", "}-": "-{"}
_EXTERNAL = re.compile(r"\[(?:https?:|ftp:)?//[^\s\[\]]*[ \t]*([^\[\]\n]*)\]")
_QUOTES = re.compile(r"'{2,5}")
_MAGIC = re.compile(r"__[A-Z\u4e00-\u9fff]{2,40}__")
_ITEM = re.compile(r"^[*#:;]+[ \t]*", re.MULTILINE)
_RULER = re.compile(r"^-{4,}", re.MULTILINE)
# Brackets whose contents went with a template.
_EMPTY = re.compile(r"[（(][\s,，;；、:：/]*[)）]")
_NAMESPACE = re.compile(
    r"\s*(?:file|image|media|category|文件|檔案|档案|图像|圖像|图片|圖片|分类|分類"
    r"|[a-z]{2,3}(?:-[a-z]+)*|simple)\s*:",
    re.IGNORECASE,
)
# Templates whose words stand in a sentence: {name: which argument}.
_SHOWN = {
    "lang": 2,
    "le": 1,
    "link-en": 1,
    "link-ja": 1,
    "ill": 1,
    "interlanguage link": 1,
    "internal link helper/en": 1,
    "tsl": 3,
    "nowrap": 1,
    "nobr": 1,
    "j": 1,
    "small": 1,
    "big": 1,
    "transl": 2,
    "abbr": 1,
    "bd": 1,
    "zh": 1,
}


def plain(text: str, variant: str) -> str:
    """Returns the text of a page. Time: linear but for mistakes of authors.

    Args:
        text: the markup.
        variant: as --wiki_variant says.
    """
    text = _COMMENT.sub("", text)
    for _ in range(_MOST_NESTED):  # Elements of a kind may be in one another.
        text, num_gone = _ELEMENT.subn("", text)
        if not num_gone:
            break
    text = _without_braces(text, variant)
    text = _EXTERNAL.sub(r"\1", text)
    text = _QUOTES.sub("", text)
    text = _BREAK.sub("\n", text)
    text = _TAG.sub("", text)
    text = html.unescape(html.unescape(text))
    text = _MAGIC.sub("", text)
    text = _EMPTY.sub("", text)
    text = _RULER.sub("", text)
    text = _ITEM.sub("", text)
    lines = (line.strip() for line in text.split("\n"))
    return "\n".join(_without_empty_sections([*filter(None, lines)]))


def _heading(line):
    """The level and the words of a heading; 7 for any other line."""
    if line[0] != "=" or line[-1] != "=":
        return _NO_HEADING, line
    words = line.strip("=")
    num_first = len(line) - len(line.lstrip("="))
    num_last = len(line) - len(line.rstrip("="))
    return min(num_first, num_last, _NO_HEADING - 1), words.strip()


def _without_braces(text, variant):
    """Resolves what nests: templates, tables, links, variants."""
    outer = []  # Of each that is open: its token, and what is before it.
    num_open = collections.Counter()
    parts = []
    place = 0
    for match in _TOKEN.finditer(text):
        token = match[0].strip(" \t:")
        parts.append(text[place : match.start()])
        place = match.end()
        opens = _CLOSES.get(token)
        if opens is None:
            outer.append((token, parts))
            num_open[token] += 1
            parts = []
        elif num_open[opens]:  # Else it closes nothing, and goes.
            inside = [parts]
            while True:
                token, parts = outer.pop()
                num_open[token] -= 1
                if token == opens:
                    break
                inside.append(parts)  # It was never closed.
            words = "".join(itertools.chain(*reversed(inside)))
            parts.append(_RESOLVE[opens](words, variant))
    parts.append(text[place:])
    return "".join(itertools.chain(*(before for _, before in outer), parts))


def _template(inside, variant):
    del variant
    name, *arguments = inside.split("|")
    wanted = _SHOWN.get(name.strip().lower().replace("_", " "))
    if wanted is None:
        return ""
    unnamed = [x for x in arguments if "=" not in x]
    return unnamed[wanted - 1].strip() if len(unnamed) >= wanted else ""


def _table(inside, variant):
    del inside, variant
    return ""


def _link(inside, variant):
    del variant
    if _NAMESPACE.match(inside):
        return ""
    target, bar, words = inside.partition("|")
    return words if bar and words else target.lstrip(":")


def _variant(inside, variant):
    return wiki_variants.shown(inside, variant)


_RESOLVE = {"{{": _template, "{|": _table, "[[": _link, "-{": _variant}


def _without_empty_sections(lines):
    """Leaves out headings with no line before the next of their level."""
    kept = []
    level_below = 0
    for line in reversed(lines):
        level, words = _heading(line)
        if words and (level == _NO_HEADING or level_below > level):
            kept.append(words)
            level_below = level
    return reversed(kept)
