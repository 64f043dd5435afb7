"""A build of several shards stopped, changed and run again."""

import contextlib
import itertools
import pathlib
import shutil
import tempfile

import pytest

from data import build, engines, shards, worker
from tests import project
from tests.data import built
from text import corpus

NUM_SHARDS = 3
ALL = set(range(NUM_SHARDS))
FILES = pytest.mark.parametrize("num_files", [1, 2, 3, 5])
# Records of the same sizes whatever the seed is: sizes tell nothing of them.
FLAGS = {
    "dupe_factor": 1,
    "masking": "dynamic",
    "pair_task": "none",
    "shard_megabytes": 1,
    "short_seq_prob": 0.0,
}


class Killed(BaseException):
    """Stops a build at once, as SIGKILL would, but in this process."""


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Small shards, one after another, in this process."""

    def run_here(num_workers, function, jobs, advance, keep):
        return [function(job, advance) for job in jobs]

    monkeypatch.setattr(shards, "_BYTES_A_MEGABYTE", 20_000)
    monkeypatch.setattr(engines, "_run_here", run_here)


class Build:
    """A build that can be stopped and says what shards its runs built."""

    def __init__(self, directory, num_files, monkeypatch):
        self.text = directory / "text.txt"
        self.folder = directory / "made"
        self._flags = FLAGS | {
            "input_file": str(self.text),
            "output_file": f"{self.folder}/records@{num_files}",
        }
        self._monkeypatch = monkeypatch
        self._built = []
        self.text.write_bytes(
            b"".join(pathlib.Path(p).read_bytes() for p in project.SAMPLES)
        )
        whole = worker.build_shard

        def build_shard(job, advance):
            entry = whole(job, advance)
            self._built.append(job.shard.index)
            return entry

        monkeypatch.setattr(worker, "build_shard", build_shard)

    def settings(self, **flags):
        return built.make_config(self.text.parent, **self._flags | flags)

    def run(self, **flags):
        """Returns the shards that were built."""
        self._built.clear()
        build.build(self.settings(**flags))
        return set(self._built)

    def is_killed(self, calls, **flags):
        """Runs up to so many changes of files; returns whether it had more."""
        count = itertools.count()
        with self._monkeypatch.context() as patch:
            for name in ("rename", "remove", "remove_tree"):
                patch.setattr(corpus, name, until(calls, count, name))
            try:
                self.run(**flags)
            except Killed:
                return True
        return False

    def done(self):
        """The shards that need not be built again after it was killed."""
        if list(self.folder.glob("*.manifest.json")):
            return ALL
        entries = self.folder.glob("*.unfinished/shard-*.json")
        return {int(path.stem.removeprefix("shard-")) for path in entries}

    def contents(self):
        """{name: bytes} of the finished files; there must be no others."""
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}

    def clear(self):
        shutil.rmtree(self.folder)

    @contextlib.contextmanager
    def kept(self):
        """Puts everything back that the body changes."""
        aside = pathlib.Path(tempfile.mkdtemp(dir=self.folder.parent), "made")
        shutil.copytree(self.folder, aside)
        yield
        self.clear()
        aside.rename(self.folder)

    def change_text(self):
        """Changes a character of shard 1 for one of as many bytes."""
        shard = shards.cut(self.settings(), [str(self.text)])[1]
        text = self.text.read_bytes()
        place = text.index("的".encode(), shard.pieces[0].begin)
        assert place < shard.pieces[0].end
        new = "是".encode()
        self.text.write_bytes(text[:place] + new + text[place + len(new) :])


def until(calls, count, name):
    """A function of `corpus` that ends the build after some calls."""
    whole = getattr(corpus, name)

    def changed(path, *args):
        if not corpus.exists(path):
            return
        if next(count) >= calls:
            if name == "remove_tree":
                for file in sorted(pathlib.Path(path).iterdir())[::2]:
                    file.unlink()
            raise Killed
        whole(path, *args)

    return changed


@pytest.fixture
def make(tmp_path, monkeypatch):
    return lambda num_files: Build(tmp_path, num_files, monkeypatch)


def shards_of(num_files, files):
    parts = shards.share_out(NUM_SHARDS, num_files)
    return {part.shard for part in parts if part.file in files}


@FILES
def test_killed_anywhere_a_rerun_builds_what_is_missing(make, num_files):
    made = make(num_files)
    assert made.run() == ALL
    wanted = made.contents()
    assert len(wanted) == num_files + 1
    made.clear()
    for calls in itertools.count():
        if not made.is_killed(calls):
            break
        done = made.done()
        assert made.run() == ALL - done
        assert made.contents() == wanted
        made.clear()
    assert calls > 2 * NUM_SHARDS


@pytest.mark.parametrize("num_files", [2, 3])
def test_killed_while_it_overwrites_no_record_gets_into_the_wrong_build(
    make, num_files
):
    made = make(num_files)
    other = {"random_seed": 2, "overwrite": True}
    made.run(**other)
    wanted = made.contents()
    made.clear()
    made.run()
    before = made.contents()
    for name in sorted(wanted):
        assert name.endswith(".json") or len(before[name]) == len(wanted[name])
    for calls in itertools.count():
        with made.kept():
            if not made.is_killed(calls, **other):
                break
            with made.kept():
                made.run(**other)
                assert made.contents() == wanted
            try:
                made.run()
            except FileExistsError:
                made.run(overwrite=True)
            assert made.contents() == before
    assert calls > 2 * NUM_SHARDS


@FILES
def test_one_shard_of_changed_text_is_built_alone(make, num_files):
    made = make(num_files)
    made.run()
    before = made.contents()
    made.change_text()
    with pytest.raises(FileExistsError, match="other text.*--overwrite"):
        made.run()
    assert made.contents() == before
    files = {f for f in range(num_files) if 1 in shards_of(num_files, {f})}
    assert made.run(overwrite=True) == shards_of(num_files, files)
    after = made.contents()
    changed = {name for name in after if after[name] != before[name]}
    changed.remove(f"records-00000-of-{num_files:05}.manifest.json")
    assert changed
    assert changed <= {f"records-{f:05}-of-{num_files:05}" for f in files}
    made.clear()
    made.run()
    assert made.contents() == after


@FILES
def test_only_the_shards_of_a_lost_file_are_built(make, num_files):
    made = make(num_files)
    made.run()
    before = made.contents()
    for file, path in enumerate(made.settings().output_paths):
        pathlib.Path(path).unlink()
        assert made.run() == shards_of(num_files, {file})
        assert made.contents() == before


OTHERS = {
    "a seed": {"random_seed": 2},
    "the seed of the next shard": {"random_seed": 12346},
    "case": {"do_lower_case": False},
    "more outputs": {"output_file": "more"},
}


@pytest.mark.parametrize("name", OTHERS)
def test_an_unfinished_build_of_other_flags_is_not_mixed_in(make, name):
    made = make(2)
    outputs = made.settings().output_file
    flags = OTHERS[name]
    if name == "more outputs":
        flags = {"output_file": f"{outputs},{made.folder}/one"}
    made.run(**flags)
    wanted = made.contents()
    made.clear()
    for calls in range(2, 11, 2):
        assert made.is_killed(calls)
        with contextlib.suppress(FileExistsError):
            made.run(**flags)
        made.run(**flags, overwrite=True)
        assert made.contents() == wanted
        made.clear()


def test_a_shard_that_goes_into_fewer_files_now_is_built_again(make):
    made = make(3)
    text = made.text.read_bytes()
    # One document that is the first shard however small shards should be.
    long = b"\n".join(line for line in text.splitlines() if line.strip())
    rest = text[: text.rindex(b"\n\n", 0, 38_000)]
    made.text.write_bytes(long + b"\n\n" + rest)
    assert made.run() >= {0, 1, 2}
    made.clear()
    assert made.run(shard_megabytes=3) == {0, 1}
    made.clear()
    made.run()
    wanted = made.contents()
    made.clear()
    assert made.is_killed(3, shard_megabytes=3)
    assert made.done() == {0}
    made.run()
    assert made.contents() == wanted


DAMAGES = {
    "empty": lambda data: b"",
    "cut": lambda data: data[: len(data) // 2],
    "longer": lambda data: data + b"\0",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_to_an_unfinished_build_costs_work_only(make, damage):
    made = make(2)
    made.run()
    wanted = made.contents()
    made.clear()
    named = 0
    for calls in (5, 10):
        assert made.is_killed(calls)
        for path in sorted(made.folder.glob("*.unfinished/*")):
            with made.kept():
                path.write_bytes(DAMAGES[damage](path.read_bytes()))
                try:
                    made.run()
                    assert made.contents() == wanted
                except ValueError as error:
                    assert str(error).startswith(f"{path}: not a manifest")
                    named += 1
        made.clear()
    assert named < 2
