"""The manifest: a JSON file beside the records that says how they were made.

The trainer refuses records that do not fit its flags by it, and the builder
knows finished work by it. It is written last: records with a manifest are
whole.
"""

import collections
import os

from storage import file_io, json_files

_SUFFIX = ".manifest.json"
_MANY = 16

# Of all flags those that others ask for.
_FLAGS = {
    "masked_lm_prob?": float,
    "do_whole_word_mask?": bool,
    "mask_unit?": str,
    "dupe_factor?": int,
}
_MASKINGS = ("static", "dynamic")
_INPUT = {"name": str, "num_bytes": int, "sha256": str}
_FILE = {"num_records": int, "num_bytes": int}
# Of the shape of `storage.json_files`.
SHARD = {
    "seed": int,
    "inputs": [_INPUT],
    "open_ended": [str],
    "parts": [_FILE],
    "counts": {str: int},
}
_SHAPE = {
    "made_from": {"flags?": _FLAGS, "outputs?": [str], "vocab_sha256?": str},
    "files": {str: _FILE},
    "shards?": [SHARD],
    "statistics?": {str: float},
    "max_seq_length?": int,
    "max_predictions_per_seq?": int,
    "pack_sequences?": int,
    "masking?": str,
    "pair_task?": str,
    "word_segmenter?": str,
    "vocab_size?": int,
    "mask_id?": int,
    "special_ids?": [int],
    "compression?": str,
}


def path_of(config):
    """Where the manifest of a build stands: beside its first file."""
    return config.output_paths[0] + _SUFFIX


def name_of(record_path, config):
    """What the manifest of a build calls a file: its path from there."""
    return os.path.relpath(record_path, os.path.dirname(path_of(config)) or ".")


class Finder:
    """Finds the manifests of record files, and reads each of them once.

    A local manifest or folder that has changed is read again; remote ones are
    those of the time when they were first asked for.
    """

    def __init__(self):
        # {path: (stamp, manifest)}, {folder: (stamp, paths)}.
        self._manifests = collections.OrderedDict()
        self._listed = {}

    def of(self, record_path):
        """Returns the manifest that lists a record file, or None."""
        folder, name = os.path.split(record_path)
        beside = self._beside(folder)
        own = os.path.join(folder, name + _SUFFIX)
        for path in [own] if own in beside else beside:
            manifest = self._read(path)
            if name in manifest["files"]:
                return manifest
        return None

    def missing(self, record_path):
        """Returns the files that the manifest of one lists and are not there.

        Only those that should stand in the same folder.
        """
        manifest = self.of(record_path)
        if manifest is None:
            return []
        folder = os.path.dirname(record_path)
        present = set(file_io.names_in(folder or "."))
        return [
            os.path.join(folder, name)
            for name in manifest["files"]
            if name not in present and not os.path.dirname(name)
        ]

    def _beside(self, folder):
        """Returns {path: None} of the manifests in a folder, in order."""
        stamp = _stamp(folder or ".")
        if folder not in self._listed or self._listed[folder][0] != stamp:
            names = file_io.names_in(folder or ".")
            found = [os.path.join(folder, x) for x in names if _is_name(x)]
            self._listed[folder] = stamp, dict.fromkeys(found)
        return self._listed[folder][1]

    def _read(self, path):
        stamp = _stamp(path)
        if path not in self._manifests or self._manifests[path][0] != stamp:
            self._manifests[path] = stamp, read(path)
        self._manifests.move_to_end(path)
        while len(self._manifests) > _MANY:
            self._manifests.popitem(last=False)
        return self._manifests[path][1]


def _is_name(name):
    return name.endswith(_SUFFIX)


def _stamp(path):
    """Changes when a local file or folder does."""
    if file_io.is_remote(path):
        return None
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


_local = Finder()


def find(record_path):
    """Returns the manifest that lists a record file, or None.

    Raises:
        ValueError: a manifest beside it is damaged.
    """
    finder = Finder() if file_io.is_remote(record_path) else _local
    return finder.of(record_path)


def read(path):
    """Reads a manifest.

    Raises:
        ValueError: the file is no manifest.
    """
    try:
        found = json_files.read(path, _SHAPE)
        _check_masking(found, path)
        return found
    except ValueError as error:
        raise ValueError(
            f"{error}; it is no manifest of create_pretraining_data, or "
            "damaged: remove it, or build the records again"
        ) from None


def _check_masking(found, path):
    masking = found.get("masking", _MASKINGS[0])
    if masking not in _MASKINGS:
        raise ValueError(
            f"{path}: masking must be one of {', '.join(_MASKINGS)}, got "
            f"{json_files.shown(masking)}"
        )


def write(path, manifest):
    """Writes a manifest, whole or not at all."""
    json_files.write(path, manifest)
