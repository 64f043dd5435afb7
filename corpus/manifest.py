"""Declares the manifest of a corpus: what it was made from, and what it holds.

It is written last: a corpus that has one is whole. It has no times and no
paths of outputs, so that the same raw files have the same manifest.
"""

import dataclasses
from typing import Any

from corpus.layout import MANIFEST, Layout
from corpus.statistics import Sizes
from storage import file_io, json_files, typed_json
from text.corpus import Source


@dataclasses.dataclass(frozen=True)
class CorpusFile:
    """A file of the corpus."""

    num_documents: int
    num_sentences: int
    num_bytes: int
    sha256: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a corpus was made from, what it holds, and what was left out."""

    flags: dict[str, Any]
    made_from: str  # A hash of the flags and the raw files.
    sources: list[Source]  # The raw files, or the pieces of large ones.
    files: dict[str, CorpusFile]  # By name, seen from --output_dir.
    num_raw_bytes: int
    num_raw_files: int
    num_raw_documents: int
    num_raw_chars: int
    sizes: Sizes  # Of the files to train on.
    heldout: Sizes
    languages: dict[str, int]  # Documents of each, kept or not.
    tally: dict[str, Any]  # See `corpus.tally`.
    frequent_lines: list[dict[str, Any]]  # {"documents": 12, "text": "..."}
    characters: dict[str, int]  # The most frequent ones.
    unknown_characters: dict[str, int]  # The most frequent of [UNK].


def read(layout: Layout) -> Manifest | None:
    """Returns the manifest of a corpus, or None if there is none.

    Raises:
        ValueError: it is damaged; names the file.
    """
    path = layout.final(MANIFEST)
    return typed_json.read(path, Manifest) if file_io.exists(path) else None


def write(layout: Layout, manifest: Manifest) -> None:
    """Writes the manifest: from then on the corpus is whole."""
    json_files.write(layout.final(MANIFEST), typed_json.plain(manifest))
