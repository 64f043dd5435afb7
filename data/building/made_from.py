"""Describes what the bytes of records depend on, beside the text."""

import hashlib

from data import manifest
from data.config import BuildConfig
from data.manifest import MadeFrom
from storage import file_io
from text import pieces, segmentation, t2s
from text.vocab import Vocabulary


def describe(config: BuildConfig, vocabulary: Vocabulary) -> MadeFrom:
    """Returns what a build depends on.

    The packages that decide on the text stand among the flags with their
    versions: another one makes other records.
    """
    flags = config.deciding("result", "rows")
    if config.similar_words:
        with file_io.open_binary(config.similar_words) as source:
            digest = hashlib.sha256(source.read()).hexdigest()
        flags["similar_words"] = f"a file of sha256 {digest}"
    return MadeFrom(
        flags=flags | _versions(config, vocabulary),
        outputs=[manifest.name_of(p, config) for p in config.output_paths],
        vocab_sha256=vocabulary.sha256,
    )


def _versions(config, vocabulary):
    versions = {
        "word_segmenter": segmentation.version(config.word_segmenter),
        "t2s": t2s.version() if config.t2s else False,
    }
    tokenizer = pieces.version(vocabulary)
    # Of WordPiece older manifests say nothing, and there is nothing to say.
    return versions | ({"tokenizer": tokenizer} if tokenizer else {})


def check_versions(
    described: MadeFrom, config: BuildConfig, vocabulary: Vocabulary
) -> None:
    """Refuses to build where the packages are not those of the build.

    Args:
        described: what `describe` returned, on the machine that began it.
        config: the flags of the build.
        vocabulary: of the build.

    Raises:
        ValueError: a package has another version here; names both.
    """
    for name, here in _versions(config, vocabulary).items():
        wanted = described.flags[name]
        if here != wanted:
            raise ValueError(
                f"--{name}: this worker has {here}, the build {wanted}; the "
                "records would be of two kinds: install the same version"
            )
