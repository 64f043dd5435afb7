"""Keeps the files of a build in place until it is finished.

Beside the first output file stands a folder `FILE.unfinished`, with a file of
records for each part and, when all parts of a shard are whole, a JSON file
that says what is in them. Output files in other folders have theirs there, so
that a rename moves a file to its place. With two files of two shards each,
--output_file=a/x,b/y:

    a/x.unfinished/shard-00000.json ... shard-00003.json     the entries
                   00000-00000  00000-00001   file 0: shards 0 and 1
                   00000                      both, when they are assembled
    b/x.unfinished/00001-00002  00001-00003   file 1: shards 2 and 3
"""

import collections
import os
from collections.abc import Sequence

from data.building.shards import share_out
from storage import file_io

_SUFFIX = ".unfinished"
_BLOCK_BYTES = 1 << 24


class Layout:
    """The parts of the shards' records and the files that they end in."""

    def __init__(self, output_paths: Sequence[str], num_shards: int):
        self._outputs = output_paths
        self.num_shards = num_shards
        self._files = collections.defaultdict(list)
        self._shards = collections.defaultdict(list)
        for part in share_out(num_shards, len(self._outputs)):
            self._files[part.shard].append(part.file)
            self._shards[part.file].append(part.shard)

    @property
    def manifest_path(self) -> str:
        """Where the manifest waits while the files get their names."""
        return os.path.join(self._folder(0), "manifest.json")

    def entry_path(self, shard: int) -> str:
        """The JSON file that says that a shard is whole, and what it holds."""
        return os.path.join(self._folder(0), f"shard-{shard:05}.json")

    def part_paths(self, shard: int) -> list[str]:
        """The files that a shard writes, in order."""
        return [self._part_path(shard, file) for file in self._files[shard]]

    def files_of(self, shard: int) -> list[int]:
        """The numbers of the output files that hold a shard."""
        return self._files[shard]

    def shards_of(self, file: int) -> list[int]:
        """The shards whose records are in an output file."""
        return self._shards[file]

    def ready_path(self, file: int) -> str:
        """Where an output file waits for its name."""
        if not self.is_assembled(file):
            return self._part_path(self._shards[file][0], file)
        return os.path.join(self._folder(file), f"{file:05}")

    def is_assembled(self, file: int) -> bool:
        """Whether an output file is made of several parts."""
        return len(self._shards[file]) > 1

    def make_folders(self) -> None:
        for folder in self._folders():
            file_io.make_directory(folder)

    def remove_folders(self) -> None:
        for folder in self._folders():
            file_io.remove_tree(folder)

    def assemble(self, file: int) -> None:
        """Makes an output file of its parts."""
        if not self.is_assembled(file):
            return
        parts = [self._part_path(shard, file) for shard in self._shards[file]]
        with file_io.whole(self.ready_path(file)) as out:
            for part in parts:
                with file_io.open_binary(part) as source:
                    while block := source.read(_BLOCK_BYTES):
                        out.write(block)
        for part in parts:
            file_io.remove(part)

    def _folders(self):
        return {self._folder(file) for file in range(len(self._outputs))}

    def _folder(self, file):
        directory = os.path.dirname(self._outputs[file])
        name = os.path.basename(self._outputs[0])
        return os.path.join(directory, name + _SUFFIX)

    def _part_path(self, shard, file):
        return os.path.join(self._folder(file), f"{file:05}-{shard:05}")
