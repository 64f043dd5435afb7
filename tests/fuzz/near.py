"""Inputs that are nearly right: valid ones with a few places spoiled."""

import copy
import json

from hypothesis import strategies as st

_DEEP = "\uf8ff deep "
# In place of a value: every type, and values at the edge of each.
ODD = (
    None,
    True,
    False,
    *(0, 1, -1, 3, 2**31, 2**63, -(2**63), 10**12, 10**400),
    *(0.5, 1e308, float("nan"), float("inf")),
    *("", " ", "x", "7", "1e400", "\0", "\ud800", "\ufeff", "中", "a\nb"),
    "long " * 2000,
    *([], [[]], [None], [1], ["a", "a"], {}, {"a": 1}, {"": {"": [[]]}}),
    *(_DEEP + str(depth) for depth in (300, 900, 960, 980, 990, 100_000)),
)
_ODD_OF_TYPES = (
    *(None, True, 0, -1, 10**12, 10**400, 0.5, float("nan"), "", "x"),
    *("\ud800", [], [None], ["a"], {}, {"a": 1}, _DEEP + "960"),
)
_GONE = object()
# Encodings of texts, and some that only Python calls so.
ENCODINGS = (
    *("UTF-8", "ascii", "UTF-16", "UTF-16LE", "utf-32", "utf-7", "GB18030"),
    *("gbk", "big5", "hz", "iso2022_jp", "latin-1", "cp1252", "utf_8_sig"),
    *("idna", "punycode", "unicode_escape", "raw_unicode_escape", "charmap"),
)
_PIECES = (
    *("\n", "\r", "\r\n", "\n\n", "\x85", "\u2028", "\u2029", "\x0b", "\x0c"),
    *("\0", "\ufeff", "\ufffd", "\t", " ", "\u3000", "\xa0", "\x1c", "\xad"),
    *(
        "中",
        "文",
        "字。",
        "word",
        "Ünï",
        "\U0001f600",
        "e\u0301",
        "##a",
        "[MASK]",
    ),
    *("a" * 5000, "国" * 3000, " \t \n", "\u200b", "\U0010ffff", "100%"),
)
TEXTS = st.lists(st.sampled_from(_PIECES), max_size=30).map("".join)


def _place(draw, root):
    """Draws (holder, key) of a value in a tree, often one near its root."""
    holder, key = root, 0
    while holder is root and draw(st.integers(0, 9)) or draw(st.integers(0, 2)):
        value = holder[key]
        if not value or not isinstance(value, (dict, list)):
            break
        keys = list(value) if isinstance(value, dict) else range(len(value))
        holder, key = value, draw(st.sampled_from(keys))
    return holder, key


@st.composite
def trees(draw, valid):
    """A JSON value with up to three places of it spoiled."""
    root = [copy.deepcopy(valid)]
    for _ in range(draw(st.sampled_from((0, 1, 1, 1, 1, 2, 3)))):
        holder, key = _place(draw, root)
        kind = draw(st.sampled_from(("other",) * 4 + ("gone", "again", "in")))
        if kind == "other" or (holder is root and kind != "in"):
            holder[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
        elif kind == "in":
            holder[key] = draw(
                st.sampled_from(([holder[key]], {"a": holder[key]}))
            )
        elif kind == "gone":
            del holder[key]
        elif isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        else:
            holder[str(key) + draw(st.sampled_from(("", "s", "_")))] = (
                holder.pop(key)
            )
    return root[0]


def text_of(value, **options):
    """The JSON of a tree, with what is too deep for Python to write."""
    text = json.dumps(value, **options)
    for depth in (300, 900, 960, 980, 990, 100_000):
        deep = json.dumps(f"{_DEEP}{depth}", **options)
        text = text.replace(deep, "[" * depth + "]" * depth)
    return text


@st.composite
def json_bytes(draw, valid, **options):
    """The bytes of a JSON file that is nearly as it should be."""
    ascii_only = draw(st.booleans())
    text = text_of(draw(trees(valid)), ensure_ascii=ascii_only, **options)
    data = text.encode("utf-8", "backslashreplace")
    if draw(st.integers(0, 5)) == 0:
        # A key twice.
        data = data.replace(b"{", b'{"a": [], "id": {}, ', 1)
    return draw(damaged(data)) if draw(st.integers(0, 9)) == 0 else data


def spoiled(valid):
    """Yields the JSON of a tree with each place spoiled in each way."""
    for keys in _all_places(valid, ()):
        for value in (*_ODD_OF_TYPES, _GONE):
            root = [copy.deepcopy(valid)]
            holder = root
            for key in (0, *keys)[:-1]:
                holder = holder[key]
            if value is not _GONE:
                holder[(0, *keys)[-1]] = value
            elif keys:
                del holder[keys[-1]]
            yield text_of(root[0]).encode()


def _all_places(value, keys):
    yield keys
    items = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        yield from _all_places(item, (*keys, key))


@st.composite
def json_lines(draw, valid, most=6):
    """The bytes of a file of JSON objects, a line each."""
    lines = draw(st.lists(json_bytes(valid), min_size=1, max_size=most))
    between = draw(st.sampled_from((b"\n", b"\n", b"\r\n", b"\n\n", b"\r")))
    return between.join(lines) + draw(st.sampled_from((b"", b"\n", b"\n\n")))


@st.composite
def damaged(draw, data, most=3):
    """Bytes that are cut, flipped, doubled, or written over in places."""
    data = bytearray(data)
    for _ in range(draw(st.integers(1, most))):
        if not data:
            break
        place = draw(st.integers(0, len(data) - 1))
        kind = draw(st.sampled_from(("cut", "flip", "put", "drop", "double")))
        if kind == "cut":
            del data[place:]
        elif kind == "flip":
            data[place] ^= 1 << draw(st.integers(0, 7))
        elif kind == "put":
            data[place:place] = draw(st.sampled_from(_BYTES))
        elif kind == "drop":
            del data[place : place + draw(st.integers(1, 40))]
        else:
            end = place + draw(st.integers(1, 40))
            data[place:place] = data[place:end]
    return bytes(data)


_BYTES = (
    *(b"\0", b"\xff", b"\x80", b"\n", b"\r\n", b"\xed\xa0\x80", b"\xc0\x80"),
    *(b"\xef\xbb\xbf", b"\xff\xfe", b"\x85", b"\t", b'"', b"{", b"\x1f\x8b"),
    *(b"\xe4\xb8", b"\0" * 70, b"9" * 6000, b"-1", b"NaN", b",", b"\\u"),
)


@st.composite
def files_of(draw, valid):
    """The bytes of a text file: as it is, damaged, or made of odd pieces."""
    kind = draw(st.sampled_from(("valid", "damaged", "damaged", "odd", "16")))
    if kind == "valid":
        return valid
    if kind == "damaged":
        return draw(damaged(valid))
    text = draw(TEXTS)
    return text.encode("utf-16" if kind == "16" else "utf-8", "replace")
