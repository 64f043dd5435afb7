"""Which files a flag names: a comma list of files, globs and folders.

Whatever is passed over on the way is named, so that no text goes missing
without a word.
"""

import collections
import glob
import os
import re
from collections.abc import Iterable

from absl import logging

from storage import file_io

# What this project puts beside its records, and a build that is not finished.
_OURS = (".manifest.json", ".tmp", ".lock")
_UNFINISHED = ".unfinished"
# Held back unless a name or a pattern asks for it: it is seldom text.
_BESIDE_DATA = ".json"
_ANY_DEPTH = "**"
# What is passed over, as the warning has it.
_FOLDERS = "folders"
_JSON = "files that end in .json"
_NUM_NAMED = 3
# As regular expressions; `**/` is any number of folders, also none, and of
# those that are not hidden.
_FOLDERS_ABOVE = "(?:[^./][^/]*/)*"
_WILDCARDS = {
    "**/": _FOLDERS_ABOVE,
    "**": _FOLDERS_ABOVE + "[^/]*",
    "*": "[^/]*",
    "?": "[^/]",
}


def expand(
    patterns: str, flag: str = "input_file", is_raw: bool = False
) -> list[str]:
    """Returns the files that a comma list of files, globs, directories names.

    Items keep their order; the files of one item are sorted. A directory
    stands for the files directly in it, `**` in a glob for folders at any
    depth. Neither stands for hidden files and for what this project leaves
    beside records. Folders and `.json` files that are passed over are named in
    a warning.

    Args:
        patterns: the comma list.
        flag: that has it, for errors.
        is_raw: whether files of any form are looked for: a directory stands
            for what is in it at any depth, and `.json` is as good as others.

    Raises:
        ValueError: an item matches no file, or what is no regular file; names
            the item and `flag`.
    """
    items = (part.strip() for part in patterns.split(","))
    return expand_items(items, flag, is_raw)


def expand_items(
    items: Iterable[str], flag: str, is_raw: bool = False
) -> list[str]:
    """Returns the files of several items; see `expand`."""
    paths, left_out = _find(items, flag, is_raw)
    _warn(flag, paths, left_out)
    return paths


def look(patterns: str, flag: str, is_raw: bool = False) -> list[str]:
    """Returns the files that `expand` will, and warns of nothing yet.

    Raises:
        ValueError: as `expand`.
    """
    items = (part.strip() for part in patterns.split(","))
    return _find(items, flag, is_raw)[0]


def check_file(path: str, flag: str) -> None:
    """Makes sure that the file of a flag is there.

    Raises:
        ValueError: it is not, or is a folder; names the flag.
    """
    if not file_io.exists(path):
        raise ValueError(f"--{flag}: no file {path!r}")
    if file_io.is_directory(path):
        raise ValueError(f"--{flag}={path} is a folder; name a file")


def _find(items, flag, is_raw):
    """Returns the files, and what was passed over: {what: paths}."""
    left_out: dict[str, list[str]] = {_FOLDERS: [], _JSON: []}
    paths = []
    for item in filter(None, items):
        found = _expand_one(item, left_out, is_raw)
        if not found:
            raise ValueError(_nothing(item, flag, left_out))
        paths += found
    if not paths:
        raise ValueError(f"--{flag}: names no file")
    for path in paths:
        _check(path, flag)
    return paths, left_out


def _nothing(item, flag, left_out):
    if left_out[_FOLDERS]:
        return (
            f"--{flag}: {item!r} has no file, only folders such as "
            f"{left_out[_FOLDERS][0]}: {_any_depth(item)} names what is in "
            "them"
        )
    if left_out[_JSON]:
        return (
            f"--{flag}: {item!r} has only .json files such as "
            f"{left_out[_JSON][0]}; name them, or a "
            "pattern that ends in .json"
        )
    return f"--{flag}: no file matches {item!r}"


def _any_depth(item):
    return os.path.join(item.rstrip("*").rstrip("/"), _ANY_DEPTH)


def _expand_one(item, left_out, is_raw):
    """Returns the files of an item, and notes what it leaves out."""
    takes_json = is_raw or item.endswith(_BESIDE_DATA)
    if file_io.is_directory(item) and is_raw:
        paths = match(_any_depth(item))
    elif file_io.is_directory(item):
        paths = [os.path.join(item, name) for name in file_io.names_in(item)]
    elif file_io.exists(item):
        return [item]
    else:
        paths = match(item)
    found = []
    for path in paths:
        name = os.path.basename(path)
        if name.startswith(".") or name.endswith(_OURS):
            continue
        if any(part.endswith(_UNFINISHED) for part in path.split("/")):
            continue
        if file_io.is_directory(path):
            if _ANY_DEPTH in item or file_io.is_directory(item) and is_raw:
                continue  # What is in it is in the list.
            if is_raw:
                found += _expand_one(path, left_out, is_raw)
            else:
                left_out[_FOLDERS].append(path)
        elif name.endswith(_BESIDE_DATA) and not takes_json:
            left_out[_JSON].append(path)
        else:
            found.append(path)
    return found


def _warn(flag, paths, left_out):
    for what, some in left_out.items():
        if some:
            advice = ""
            if what == _FOLDERS:
                advice = f"; {_any_depth(os.path.dirname(some[0]))} names their"
                advice += " files, too"
            _log(flag, some, f"{what} are left out", advice)
    twice = [path for path, n in collections.Counter(paths).items() if n > 1]
    if twice:
        _log(flag, twice, "files are named more than once and read as often")


def _log(flag, paths, what, advice=""):
    more = " ..." if len(paths) > _NUM_NAMED else ""
    logging.warning(
        "--%s: %s %s: %s%s%s",
        flag,
        len(paths),
        what,
        ", ".join(paths[:_NUM_NAMED]),
        more,
        advice,
    )


def _check(path, flag):
    """Refuses what cannot be read twice, and names that are no UTF-8."""
    if not path.isprintable():
        try:
            path.encode()
        except UnicodeEncodeError:
            raise ValueError(
                f"--{flag}: the name {os.fsencode(path)!r} is not UTF-8, and "
                "could not be written into a manifest; rename the file"
            ) from None
    if not file_io.is_remote(path):
        file_io.check_regular(path)


def match(pattern: str) -> list[str]:
    """Returns the local or remote files and folders of a pattern, sorted.

    A folder that is there as the pattern has it is no pattern, whatever
    brackets are in its name.
    """
    if file_io.is_remote(pattern):
        if _ANY_DEPTH in pattern:
            return _match_remote(pattern)
        return sorted(file_io.gfile().glob(pattern))
    parts = pattern.split("/")
    for count in range(len(parts) - 1, 0, -1):
        folder = "/".join(parts[:count])
        if os.path.isdir(folder):
            rest = "/".join(parts[count:])
            pattern = f"{glob.escape(folder)}/{rest}"
            break
    return sorted(glob.glob(pattern, recursive=True))


def _match_remote(pattern):
    """Finds what `**` stands for, which TensorFlow's own glob does not know."""
    root = pattern[: pattern.index(_ANY_DEPTH)].rpartition("/")[0]
    regex = re.compile(
        "".join(
            _WILDCARDS.get(part)
            or (part if part[:1] == "[" else re.escape(part))
            for part in re.split(r"(\*\*/|\*\*|\*|\?|\[[^/\]]+\])", pattern)
        )
    )
    paths = (
        os.path.join(folder, name)
        for folder, _, names in file_io.gfile().walk(root)
        for name in names
    )
    return sorted(filter(regex.fullmatch, paths))
