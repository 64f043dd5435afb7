"""Where the work on a corpus stands until it is finished, and what is done.

    corpus/clue_pretrain_0000001.txt ...           the corpus
           heldout/clue_heldout_0000001.txt ...    documents to evaluate on
           corpus.manifest.json                    what it was made from; last
           corpus.report.html                      a page to look at
           corpus.unfinished/                      gone when all is done
               read-00000.json                     raw shard 0 is cleaned
               read-00000-000.txt .sizes.npy ...   documents, its first part
               split-00000-000.json .txt ...       their sentences
               write-00000.json .txt ...           file 0 of the corpus

A stage's entry, its JSON file, is written last and vouches for the files
beside it. It names, as `made_from`, a hash of all that decides on them.
"""

import dataclasses
import hashlib
import io
import os
from typing import Any, TypeVar

import numpy as np

from storage import file_io, json_files, typed_json

T = TypeVar("T")

TRAINING = "clue_pretrain_%07d.txt"
HELDOUT = "heldout/clue_heldout_%07d.txt"
MANIFEST = "corpus.manifest.json"
PAGE = "corpus.report.html"
_FOLDER = "corpus.unfinished"


@dataclasses.dataclass(frozen=True)
class Layout:
    """The files in --output_dir."""

    output_dir: str

    @property
    def folder(self) -> str:
        """Where the work stands while it is not finished."""
        return os.path.join(self.output_dir, _FOLDER)

    @property
    def publishing(self) -> str:
        """Says whose files are being given their names, while they are."""
        return os.path.join(self.folder, "publishing.json")

    @property
    def standard_input(self) -> str:
        """A copy of standard input, which can be read once."""
        return os.path.join(self.folder, "standard_input")

    def final(self, name: str) -> str:
        """The path of a file that stays."""
        return os.path.join(self.output_dir, name)

    def part(self, stage: str, key: str, what: str) -> str:
        """A file of a stage's work: `read-00003-000.sizes.npy`."""
        return os.path.join(self.folder, f"{stage}-{key}.{what}")

    def write_entry(
        self, stage: str, key: str, made_from: str, entry: Any
    ) -> None:
        """Writes that a stage is done with a shard, and what it found."""
        value = {"made_from": made_from, "entry": typed_json.plain(entry)}
        json_files.write(self.part(stage, key, "json"), value)

    def read_entry(
        self, stage: str, key: str, made_from: str, kind: type[T]
    ) -> T | None:
        """Returns what a stage found, or None if it was not done, or other."""
        shape = {"made_from": str, "entry": typed_json.shape(kind)}
        path = self.part(stage, key, "json")
        value = json_files.read_or_none(path, shape)
        if value is None or value["made_from"] != made_from:
            return None
        return typed_json.make(kind, value["entry"])

    def write_array(
        self, stage: str, key: str, what: str, array: np.ndarray
    ) -> None:
        """Writes an array, which `read_array` reads or maps into memory."""
        data = io.BytesIO()
        np.save(data, array)
        path = self.part(stage, key, f"{what}.npy")
        file_io.write_whole(path, data.getvalue())

    def read_array(self, stage: str, key: str, what: str) -> np.ndarray:
        """Returns an array of a stage; a local one stays on the disk."""
        path = self.part(stage, key, f"{what}.npy")
        if file_io.is_remote(path):
            return np.load(io.BytesIO(file_io.read_bytes(path)))
        array = np.load(path)
        return array if array.nbytes < 1 << 20 else np.load(path, mmap_mode="r")


def fingerprint(*values: Any) -> str:
    """Returns a hash of values that JSON can hold."""
    text = json_files.line([typed_json.plain(value) for value in values])
    return hashlib.sha256(text.encode()).hexdigest()
