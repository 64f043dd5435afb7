"""Corpus files: which ones a flag names, and the text in them.

Local paths use the standard library; a path with a scheme, such as `gs://`,
uses TensorFlow's file system, which is imported only then.
"""

import contextlib
import glob
import gzip
import hashlib
import os
import shutil
import zlib

CHUNK_BYTES = 1 << 22
_REMOVALS = 10
_BESIDE_DATA = (".json", ".tmp", ".lock")


def is_remote(path):
    """Whether `path` names a file system by its scheme, such as `gs://`."""
    return "://" in path


def gfile():
    """TensorFlow's file system, imported when a path needs it."""
    import tensorflow as tf

    return tf.io.gfile


def open_binary(path, mode="rb"):
    """Opens a local or remote file for reading or writing bytes."""
    return gfile().GFile(path, mode) if is_remote(path) else open(path, mode)


def exists(path):
    """Whether a local or remote file exists."""
    return gfile().exists(path) if is_remote(path) else os.path.exists(path)


def expand(patterns, flag="input_file"):
    """Returns the files that a comma list of files, globs, directories names.

    Items keep their order; the files of one item are sorted. A directory
    stands for the files directly in it. Neither it nor a glob stands for hidden
    files, `.json`, `.tmp` and `.lock`, which stand beside records.

    Raises:
        ValueError: an item matches no file; names the item and `flag`.
    """
    paths = []
    for item in filter(None, (part.strip() for part in patterns.split(","))):
        found = _expand_one(item)
        if not found:
            raise ValueError(f"--{flag}: no file matches {item!r}")
        paths += found
    if not paths:
        raise ValueError(f"--{flag}: names no file, got {patterns!r}")
    return paths


def _expand_one(item):
    fs = gfile() if is_remote(item) else None
    is_directory = fs.isdir if fs else os.path.isdir
    if is_directory(item):
        # TensorFlow lists a name twice where a remote list was begun again.
        names = sorted(set((fs.listdir if fs else os.listdir)(item)))
        paths = [os.path.join(item, name) for name in names]
    elif exists(item):
        return [item]
    else:
        paths = match(item)
    return [path for path in paths if _is_data(path) and not is_directory(path)]


def match(pattern):
    """Returns the local or remote files of a pattern, sorted."""
    if is_remote(pattern):
        return sorted(gfile().glob(pattern))
    return sorted(glob.glob(pattern))


def make_directory(path):
    """Makes a directory and those above it, where they are missing.

    Raises:
        FileNotFoundError: the bucket of a remote path does not exist.
    """
    if not is_remote(path):
        os.makedirs(path, exist_ok=True)
        return
    if gfile().isdir(path):
        return
    scheme, _, rest = path.partition("://")
    bucket = f"{scheme}://{rest.partition('/')[0]}/"
    # TensorFlow would ask for it again and again, without end.
    if not exists(bucket):
        raise FileNotFoundError(f"{path}: there is no {bucket}")
    gfile().makedirs(path)


def write_whole(path, data):
    """Writes the bytes of a local or remote file, all of them or none."""
    with open_binary(path + ".tmp", "wb") as out:
        out.write(data)
    rename(path + ".tmp", path)


def rename(old, new):
    """Renames a local or remote file, over an older one."""
    if is_remote(new):
        gfile().rename(old, new, overwrite=True)
    else:
        os.replace(old, new)


def remove(path):
    """Removes a local or remote file, if it is there."""
    if exists(path):
        (gfile().remove if is_remote(path) else os.remove)(path)


def remove_tree(path):
    """Removes a local or remote folder and all in it, if it is there."""
    if not is_remote(path):
        shutil.rmtree(path, ignore_errors=True)
        return
    import tensorflow as tf

    for left in reversed(range(_REMOVALS)):
        if not tf.io.gfile.isdir(path):
            return
        try:
            tf.io.gfile.rmtree(path)
        except (tf.errors.NotFoundError, tf.errors.PermissionDeniedError):
            # What TensorFlow says, too, of a service that is busy just now.
            if not left:
                raise


def _is_data(path):
    name = os.path.basename(path)
    return not name.startswith(".") and not name.endswith(_BESIDE_DATA)


class Digest:
    """The bytes and the sha256 of a text, while it is read.

    `advance` is told how many bytes are read each time.
    """

    def __init__(self, advance):
        self.num_bytes = 0
        self._advance = advance
        self._sha256 = hashlib.sha256()

    def update(self, data):
        self.num_bytes += len(data)
        self._sha256.update(data)
        self._advance(len(data))

    def describe(self, path):
        """What the manifest of the records says of the text."""
        return {
            "name": os.path.basename(path),
            "num_bytes": self.num_bytes,
            "sha256": self._sha256.hexdigest(),
        }


def is_packed(path):
    """Whether a text is gzipped, by its name."""
    return path.endswith(".gz")


@contextlib.contextmanager
def open_text(path, begin=0):
    """Opens the bytes of a text, unpacked, at byte `begin` of them."""
    with open_binary(path) as raw:
        source = gzip.GzipFile(fileobj=raw) if is_packed(path) else raw
        try:
            if begin:
                source.seek(begin)
            yield source
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(
                f"{path}: not a whole gzip file, readable up to byte "
                f"{source.tell()} of its text ({error})"
            ) from None


def num_text_bytes(path):
    """Bytes of a text, unpacked; of a packed one all is read for it."""
    if not is_packed(path):
        return num_bytes(path)
    with open_text(path) as source:
        while source.read(CHUNK_BYTES):
            pass
        return source.tell()


def read_chunks(path, digest=None, chunk_bytes=CHUNK_BYTES, begin=0, end=None):
    """Yields the text of a file, or a part of it, in chunks of whole lines.

    Args:
        path: a UTF-8 file, gzipped when its name ends in `.gz`.
        digest: a `Digest` that is fed the bytes of the text.
        chunk_bytes: about how much to read at once.
        begin, end: the part of the text, in bytes, at ends of lines.

    Raises:
        ValueError: the file is not UTF-8 or not whole gzip; names the byte.
    """
    offset = begin
    rest = b""
    with open_text(path, begin) as source:
        while True:
            wanted = chunk_bytes
            if end is not None:
                wanted = min(wanted, end - offset - len(rest))
            data = source.read(wanted)
            if digest:
                digest.update(data)
            block = rest + data
            # Without data the file has ended and its last line may be open.
            last = block.rfind(b"\n") + 1 if data else len(block)
            if last:
                yield _decode(block[:last], path, offset)
            offset += last
            rest = block[last:]
            if not data:
                return


def _decode(block, path, offset):
    try:
        return block.decode("utf-8")
    except UnicodeDecodeError as error:
        position = offset + error.start
        raise ValueError(
            f"{path}: not UTF-8 at byte {position} "
            f"(0x{block[error.start]:02x}); convert it, for example with "
            "iconv -f GB18030 -t UTF-8"
        ) from None


def num_bytes(path):
    """Size of a local or remote file on its disk."""
    if is_remote(path):
        return gfile().stat(path).length
    return os.path.getsize(path)
