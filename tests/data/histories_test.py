"""Builds of random flags and text on one output, many of them stopped."""

import collections
import pathlib
import random
import shutil

from data.building import build
from tests.data.stoppable import Build

NUM_HISTORIES = 40


def drawn_flags(rng):
    return {
        "gzip_compress": rng.random() < 0.2,
        "names": rng.choice(("a", "a,b", "a,b,c,d", "a,other/b,other/a")),
        "random_seed": rng.choice((1, 2)),
        "shard_megabytes": rng.choice((0, 1, 2, 3)),
    }


def in_folder(names, folder):
    return ",".join(f"{folder}/{name}" for name in names.split(","))


def contents(paths):
    paths = map(pathlib.Path, paths)
    return [path.read_bytes() if path.exists() else b"" for path in paths]


class Builds:
    """The records that builds of one text or another must end with."""

    def __init__(self, made):
        self._made = made
        self._fresh = {}

    def wanted(self, text, names, **flags):
        key = text, names, *flags.values()
        if key not in self._fresh:
            folder = self._made.text.with_name("fresh")
            settings = self._made.settings(
                output_file=in_folder(names, folder), **flags
            )
            build.build(settings)
            self._fresh[key] = contents(settings.output_paths)
            shutil.rmtree(folder)
        return self._fresh[key]


def lose_something(rng, folder):
    """Removes a finished file, or cuts one that is not."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    if not paths:
        return
    path = rng.choice(paths)
    data = path.read_bytes()
    if path.parent.suffix == ".unfinished":
        path.write_bytes(data[: rng.randint(0, len(data))])
    elif path.suffix != ".json":
        path.unlink()


def one_more(rng, made, builds, text, flags):
    """Builds once more, or up to a point; returns what came of it."""
    flags = dict(flags)
    wanted = builds.wanted(text, **flags)
    flags["output_file"] = in_folder(flags.pop("names"), made.folder)
    flags["overwrite"] = rng.random() < 0.6
    outputs = made.settings(**flags).output_paths
    before = contents(outputs)
    calls = rng.choice((1000, rng.randint(0, 12), rng.randint(0, 12)))
    try:
        if made.is_killed(calls, **flags):
            return "killed"
    except FileExistsError:
        assert not flags["overwrite"]
        assert contents(outputs) == before
        return "refused"
    except ValueError as error:
        assert "it is no manifest of" in str(error)
        made.clear()
        return "damaged"
    assert contents(outputs) == wanted
    return "ended"


def test_whatever_went_before_a_build_that_ends_is_the_one_asked_for(
    tmp_path, monkeypatch
):
    made = Build(tmp_path, 1, monkeypatch)
    builds = Builds(made)
    texts = [made.text.read_bytes()]
    made.change_text()
    texts.append(made.text.read_bytes())
    counts = collections.Counter()
    for seed in range(NUM_HISTORIES):
        rng = random.Random(seed)
        flags = drawn_flags(rng)
        for _ in range(rng.randint(2, 8)):
            flags = rng.choice((flags, drawn_flags(rng)))
            text = rng.choice(texts)
            made.text.write_bytes(text)
            if made.folder.exists() and rng.random() < 0.3:
                lose_something(rng, made.folder)
            counts[one_more(rng, made, builds, text, flags)] += 1
        shutil.rmtree(made.folder, ignore_errors=True)
    assert min(counts[x] for x in ("killed", "refused", "ended")) > 10
