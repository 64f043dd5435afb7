"""The manifest: a JSON file beside the records that says how they were made.

The trainer refuses records that do not fit its flags by it, and the builder
knows finished work by it. It is written last: records with a manifest are
whole.
"""

import json
import os

from text import corpus

_SUFFIX = ".manifest.json"


def path_of(config):
    """Where the manifest of a build stands: beside its first file."""
    return config.output_paths[0] + _SUFFIX


def name_of(record_path, config):
    """What the manifest of a build calls a file: its path from there."""
    return os.path.relpath(record_path, os.path.dirname(path_of(config)) or ".")


def find(record_path):
    """Returns the manifest that lists a record file, or None."""
    own = record_path + _SUFFIX
    beside = os.path.join(os.path.dirname(record_path), "*" + _SUFFIX)
    for candidate in [own] if corpus.exists(own) else corpus.match(beside):
        manifest = read(candidate)
        if os.path.basename(record_path) in manifest["files"]:
            return manifest
    return None


def read(path):
    """Reads a manifest.

    Raises:
        ValueError: the file is no manifest.
    """
    with corpus.open_binary(path) as source:
        text = source.read()
    try:
        manifest = json.loads(text)
        manifest["files"], manifest["made_from"]  # noqa: B018
    except (ValueError, KeyError, TypeError):
        raise ValueError(
            f"{path}: not a manifest of create_pretraining_data; remove it or "
            "build the records again"
        ) from None
    return manifest


def write(path, manifest):
    """Writes a manifest, whole or not at all."""
    text = json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
    corpus.write_whole(path, text.encode())
