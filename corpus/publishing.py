"""Gives a corpus its names, when it is whole, and knows a finished one."""

from collections.abc import Sequence

from corpus import manifest, page
from corpus.config import CorpusConfig
from corpus.layout import MANIFEST, PAGE, Layout
from corpus.manifest import Manifest
from corpus.shards import CorpusFile
from storage import file_io, json_files


def finished(config: CorpusConfig, layout: Layout) -> Manifest | None:
    """Returns the manifest of a whole corpus, or None if there is none.

    Raises:
        ValueError: its manifest is damaged and may not be replaced.
    """
    try:
        found = manifest.read(layout)
    except ValueError as error:
        if not config.overwrite:
            raise ValueError(f"{error}, or set --overwrite") from None
        return None
    if found is None:
        return None
    for name, file in found.files.items():
        path = layout.final(name)
        if not file_io.exists(path) or file_io.num_bytes(path) != (
            file.num_bytes
        ):
            return None
    return found


def check_free(
    config: CorpusConfig, layout: Layout, found: Manifest | None
) -> None:
    """Refuses to write over a corpus of other files or flags.

    Raises:
        FileExistsError: one is in the way, and --overwrite is not set.
    """
    if config.overwrite:
        return
    if found is not None:
        what = f"{layout.final(MANIFEST)} is of other files or flags"
        raise FileExistsError(_cure(what))
    # A stop between two names leaves files of this corpus and a note of them.
    ours = json_files.read_or_none(layout.publishing, {"files": [str]})
    for name in _standing(layout):
        if ours is None or name not in ours["files"]:
            raise FileExistsError(_cure(f"{layout.final(name)} exists"))


def _cure(what):
    return (
        f"{what}; choose another --output_dir or replace the corpus with "
        "--overwrite"
    )


def _standing(layout):
    """The names of files that stand where those of a corpus will."""
    for folder, prefix in (("", "clue_pretrain_"), ("heldout", "clue_heldout")):
        for name in file_io.names_in(layout.final(folder)):
            if name.startswith(prefix) and name.endswith(".txt"):
                yield f"{folder}/{name}" if folder else name


def publish(
    layout: Layout, files: Sequence[CorpusFile], result: Manifest
) -> None:
    """Renames the files of a corpus; writes the page, then the manifest."""
    json_files.write(layout.publishing, {"files": [x.path for x in files]})
    file_io.remove(layout.final(MANIFEST))
    wanted = set(result.files)
    for name in list(_standing(layout)):
        if name not in wanted:
            file_io.remove(layout.final(name))
    if any(x.path.startswith("heldout/") for x in files):
        file_io.make_directory(layout.final("heldout"))
    for file in files:
        part = layout.part("write", file.key, "txt")
        if file_io.exists(part):
            file_io.rename(part, layout.final(file.path))
    file_io.remove_leftovers(layout.output_dir)
    text = page.make(result)
    file_io.write_whole(layout.final(PAGE), text.encode())
    manifest.write(layout, result)
    file_io.remove_tree(layout.folder)
