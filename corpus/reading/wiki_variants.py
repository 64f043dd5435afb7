"""The two ways of writing Chinese in Wikipedia's markup, resolved to one.

-{zh-hans:计算机; zh-hant:電腦;}-      one of them
-{計算機}-                             as it stands
-{A|zh-cn:博客; zh-tw:部落格}-         one of them, and a rule for the page
-{H|zh-cn:博客; zh-tw:部落格}-         a rule alone: nothing is shown
-{zh-hans;zh-hant|計算機}-             as it stands, in these variants
"""

import re

# What stands in for a variant that is not given, the likelier first.
_INSTEAD = {
    "zh-hans": ("zh-cn", "zh-sg", "zh-my", "zh"),
    "zh-cn": ("zh-hans", "zh-sg", "zh-my", "zh"),
    "zh-sg": ("zh-hans", "zh-my", "zh-cn", "zh"),
    "zh-hant": ("zh-tw", "zh-hk", "zh-mo", "zh"),
    "zh-tw": ("zh-hant", "zh-hk", "zh-mo", "zh"),
    "zh-hk": ("zh-hant", "zh-mo", "zh-tw", "zh"),
}
# Innermost first, as they may be nested.
_MARKUP = re.compile(r"-\{((?:(?!-\{|\}-).)*)\}-", re.DOTALL)
_FLAGS = re.compile(
    r"\s*([A-Z+-](?:\s*;\s*[A-Z+-])*|(?:zh[\w-]*\s*(?:;\s*|(?=\|)))+|)\|"
)
_HIDDEN = frozenset("HTDN-")
_CHOICE = re.compile(r"(?:^|;)\s*(zh[\w-]*)\s*:")
_RULE = re.compile(r"(?:^|;)[^;:]*=>\s*zh[\w-]*\s*:[^;]*")
# That of an entity such as &gt; is none.
_LAST_MARK = re.compile(r"(?<!&[a-z]{2})(?<!&[a-z]{3})(?<!&[a-z]{4});\s*$")
_MOST_NESTED = 8


def resolve(text: str, variant: str) -> str:
    """Returns a text with the words of a variant in place of the markup."""
    for _ in range(_MOST_NESTED):
        if "-{" not in text:
            break
        text, num_found = _MARKUP.subn(
            lambda match: shown(match[1], variant), text
        )
        if not num_found:
            break
    return text


def shown(inside: str, variant: str) -> str:
    """Returns what a reader of a variant sees of `-{inside}-`."""
    flags = _FLAGS.match(inside)
    if flags:
        inside = inside[flags.end() :]
        names = {name.strip() for name in flags[1].split(";")}
        if names & _HIDDEN:
            return ""
        if "R" in names:
            return inside
    inside = _RULE.sub("", inside)
    marks = [*_CHOICE.finditer(inside)]
    if not marks:
        return inside
    ends = [mark.start() for mark in marks[1:]] + [len(inside)]
    choices = {
        mark[1].lower(): _LAST_MARK.sub("", inside[mark.end() : end]).strip()
        for mark, end in zip(marks, ends, strict=True)
    }
    for name in (variant, *_INSTEAD[variant]):
        if name in choices:
            return choices[name]
    return next(iter(choices.values()))
