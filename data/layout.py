"""Where the files of a build lie until it is finished.

Beside the first output file stands a folder `FILE.unfinished`, with a file of
records for each part and, when all parts of a shard are whole, a JSON file
that says what is in them. Output files in other folders have theirs there, so
that a rename moves a file to its place.
"""

import os

from data.shards import Part, share_out
from text import corpus

_SUFFIX = ".unfinished"
_BLOCK_BYTES = 1 << 24


class Layout:
    """The parts of the shards' records and the files that they end in."""

    def __init__(self, config, num_shards):
        self._outputs = config.output_paths
        self._parts = share_out(num_shards, len(self._outputs))
        self.num_shards = num_shards

    @property
    def manifest_path(self):
        """Where the manifest waits while the files get their names."""
        return os.path.join(self._folder(0), "manifest.json")

    def entry_path(self, shard):
        """The JSON file that says that a shard is whole, and what it holds."""
        return os.path.join(self._folder(0), f"shard-{shard:05}.json")

    def part_paths(self, shard):
        """The files that a shard writes, in order."""
        return [self._part_path(p) for p in self._parts if p.shard == shard]

    def files_of(self, shard):
        """The numbers of the output files that hold a shard."""
        return [part.file for part in self._parts if part.shard == shard]

    def shards_of(self, file):
        """The shards whose records are in an output file."""
        return [part.shard for part in self._parts if part.file == file]

    def ready_path(self, file):
        """Where an output file waits for its name."""
        if not self.is_assembled(file):
            return self._part_path(Part(self.shards_of(file)[0], file))
        return os.path.join(self._folder(file), f"{file:05}")

    def is_assembled(self, file):
        """Whether an output file is made of several parts."""
        return len(self.shards_of(file)) > 1

    def make_folders(self):
        for file in range(len(self._outputs)):
            corpus.make_directory(self._folder(file))

    def remove_folders(self):
        for folder in {self._folder(i) for i in range(len(self._outputs))}:
            corpus.remove_tree(folder)

    def assemble(self, file, keep):
        """Makes an output file of its parts; `keep` is called meanwhile."""
        path = self.ready_path(file)
        if not self.is_assembled(file):
            return
        parts = [self._part_path(p) for p in self._parts if p.file == file]
        with corpus.open_binary(path + ".tmp", "wb") as out:
            for part in parts:
                with corpus.open_binary(part) as source:
                    while block := source.read(_BLOCK_BYTES):
                        out.write(block)
                        keep()
        corpus.rename(path + ".tmp", path)
        for part in parts:
            corpus.remove(part)

    def _folder(self, file):
        directory = os.path.dirname(self._outputs[file])
        name = os.path.basename(self._outputs[0])
        return os.path.join(directory, name + _SUFFIX)

    def _part_path(self, part):
        name = f"{part.file:05}-{part.shard:05}"
        return os.path.join(self._folder(part.file), name)
