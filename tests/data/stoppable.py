"""A build of three shards that can be stopped, in this process."""

import contextlib
import itertools
import pathlib
import shutil
import tempfile

from data.building import build, shards, worker
from jobs import engines
from storage import file_io
from tests import project
from tests.data import built

NUM_SHARDS = 3
ALL = set(range(NUM_SHARDS))
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
        monkeypatch.setattr(shards, "_BYTES_A_MEGABYTE", 20_000)
        monkeypatch.setattr(engines, "_run_here", run_here)
        whole = worker.Work.build_shard

        def build_shard(work, job, advance):
            entry = whole(work, job, advance)
            self._built.append(job.shard.index)
            return entry

        monkeypatch.setattr(worker.Work, "build_shard", build_shard)

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
                patch.setattr(file_io, name, until(calls, count, name))
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

    def finished(self):
        """{name: bytes} of the finished files beside whatever is left."""
        paths = filter(pathlib.Path.is_file, self.folder.iterdir())
        return {path.name: path.read_bytes() for path in paths}

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


def run_here(num_workers, function, jobs, advance):
    """Runs jobs one after another."""
    return [function(job, advance) for job in jobs]


def until(calls, count, name):
    """A function of `file_io` that ends the build after some calls."""
    whole = getattr(file_io, name)

    def changed(path, *args):
        if not file_io.exists(path):
            return
        if next(count) >= calls:
            if name == "remove_tree":
                for file in sorted(pathlib.Path(path).iterdir())[::2]:
                    file.unlink()
            raise Killed
        whole(path, *args)

    return changed
