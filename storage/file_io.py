"""Files and folders, local or remote: opened, written whole, moved, removed.

Local paths use the standard library; a path with a scheme, such as `gs://`,
uses TensorFlow's file system, which is imported only then. No path is a pattern
here: a folder named `run[1]` is a folder like any other.
"""

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, Literal

from storage import tensorflow_start

Mode = Literal["rb", "wb", "ab"]

_REMOVALS = 10
_BLOCK_BYTES = 1 << 22
_TEMPORARY = ".tmp"
# As `whole` names it: a name, eight digits, and that.
_IS_TEMPORARY = re.compile(r".+\.[0-9a-f]{8}\.tmp")
# What stands in a checkout in place of a file that git-lfs has not fetched.
_POINTER = b"version https://git-lfs.github.com/spec/"


def is_remote(path: str) -> bool:
    """Whether `path` names a file system by its scheme, such as `gs://`."""
    return "://" in path


def gfile() -> Any:
    """TensorFlow's file system, imported when a path needs it."""
    with tensorflow_start.quiet():
        import tensorflow as tf

    return tf.io.gfile


def exists(path: str) -> bool:
    """Whether a local or remote file exists."""
    return gfile().exists(path) if is_remote(path) else os.path.exists(path)


def is_directory(path: str) -> bool:
    """Whether a local or remote path is a folder."""
    return gfile().isdir(path) if is_remote(path) else os.path.isdir(path)


def names_in(directory: str) -> list[str]:
    """Returns the names in a folder, sorted; none where there is no folder."""
    if not is_directory(directory):
        return []
    if not is_remote(directory):
        return sorted(os.listdir(directory))
    # TensorFlow ends the names of folders with a slash, and lists a name twice
    # where a remote list was begun again.
    names = gfile().listdir(directory)
    return sorted({name.rstrip("/") for name in names})


def num_bytes(path: str) -> int:
    """Size of a local or remote file on its disk."""
    if is_remote(path):
        return gfile().stat(path).length
    return os.path.getsize(path)


def open_binary(path: str, mode: Mode = "rb") -> BinaryIO:
    """Opens a local or remote file for reading or writing bytes.

    Raises:
        ValueError: to be read is what can be read only once, or is no file.
    """
    if is_remote(path):
        return gfile().GFile(path, mode)
    if mode == "rb":
        check_regular(path)
    return open(path, mode)


def check_regular(path: str) -> None:
    """Refuses a pipe, which would be waited for without end, and the like."""
    kind = os.stat(path).st_mode
    if stat.S_ISDIR(kind):
        raise ValueError(f"{path} is a folder; name a file")
    if not stat.S_ISREG(kind):
        raise ValueError(
            f"{path} is a pipe or a device, and a file is needed here, as it "
            "is read more than once: write it to a file first"
        )


def read_bytes(path: str) -> bytes:
    """Returns all bytes of a local or remote file.

    Raises:
        ValueError: it stands for a file that git-lfs has not fetched.
    """
    with open_binary(path) as file:
        data = file.read()
    check_is_fetched(data, path)
    return data


def check_is_fetched(data: bytes, path: str) -> None:
    """Refuses the pointer that stands for a file git-lfs has not fetched.

    Args:
        data: the first bytes of the file, 64 or more.
        path: the file, for the error.
    """
    if data.startswith(_POINTER):
        raise ValueError(
            f"{path} is the pointer of git-lfs, not the file itself: fetch it "
            "with git lfs pull"
        )


def sha256(path: str) -> str:
    """Returns the SHA-256 of a local or remote file, in hexadecimal."""
    found = hashlib.sha256()
    with open_binary(path) as file:
        while block := file.read(_BLOCK_BYTES):
            found.update(block)
    return found.hexdigest()


def make_directory(path: str) -> None:
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


@contextlib.contextmanager
def whole(path: str) -> Iterator[BinaryIO]:
    """Opens a file for writing bytes; it appears with all of them, or never.

    What is written stands under a temporary name, and on the disk before it is
    renamed, so that no fall of the machine leaves an empty file.
    """
    # Of its own each time: two that write at once do not mix their bytes.
    temporary = f"{path}.{secrets.token_hex(4)}{_TEMPORARY}"
    try:
        with open_new(temporary) as out:
            yield out
            if not is_remote(path):
                out.flush()
                os.fsync(out.fileno())
        rename(temporary, path)
    except BaseException:
        with contextlib.suppress(Exception):
            remove(temporary)
        raise


def remove_leftovers(directory: str) -> None:
    """Removes what kills left half written: the temporary files of `whole`.

    Only who is alone in a directory, as a training is by its lock, may: another
    process may be writing one.
    """
    for name in names_in(directory):
        if _IS_TEMPORARY.fullmatch(name):
            remove(os.path.join(directory, name))


def open_new(path: str) -> BinaryIO:
    """Opens a file that is not there yet for writing bytes.

    What stands under the name is removed: a link itself, not what it points
    to, so that a link which somebody else put there leads nowhere.
    """
    if is_remote(path):
        return gfile().GFile(path, "wb")
    clear(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    return os.fdopen(os.open(path, flags, 0o666), "wb")


def clear(path: str) -> None:
    """Removes what stands under a temporary name of ours."""
    if is_remote(path):
        return
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def sync(path: str) -> None:
    """Puts a local file on the disk that another library has written."""
    if is_remote(path):
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: str, data: bytes) -> None:
    """Writes the bytes of a local or remote file, all of them or none."""
    with whole(path) as out:
        out.write(data)


def write_lines(path: str, lines: Iterable[str]) -> None:
    """Writes lines of text, all of them or none.

    Half of a surrogate pair, which no UTF-8 can hold, is written as \\udXXX:
    in a JSON string that says the same.
    """
    text = "".join(f"{line}\n" for line in lines)
    write_whole(path, text.encode("utf-8", "backslashreplace"))


def rename(old: str, new: str) -> None:
    """Renames a local or remote file, over an older one."""
    if is_remote(new):
        gfile().rename(old, new, overwrite=True)
    else:
        os.replace(old, new)


def copy(source: str, target: str) -> None:
    """Copies a local or remote file to another name, whole or not at all."""
    with open_binary(source) as file, whole(target) as out:
        while block := file.read(_BLOCK_BYTES):
            out.write(block)


def remove(path: str) -> None:
    """Removes a local or remote file, if it is there."""
    if not is_remote(path):
        clear(path)
    elif exists(path):
        gfile().remove(path)


def remove_tree(path: str) -> None:
    """Removes a local or remote folder and all in it, if it is there.

    Of a link to a folder the link goes, not the folder.
    """
    if not is_remote(path):
        if os.path.islink(path):
            os.unlink(path)
        else:
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


def check_output(path: str, flag: str) -> None:
    """Makes sure, before there is work to lose, that a file can be written.

    Makes the folder it goes to.

    Args:
        path: of the file to come.
        flag: that names it.

    Raises:
        ValueError: it is a folder, or its folder cannot be made or written to.
    """
    if is_directory(path):
        raise ValueError(f"--{flag}={path} is a folder; name a file")
    if not is_remote(path) and exists(path) and not os.path.isfile(path):
        return  # A pipe or a device, such as /dev/stdout.
    check_output_directory(os.path.dirname(path) or ".", flag)


def check_new_directory(path: str, flag: str) -> None:
    """Makes an empty folder, or takes the one there, for files to write.

    Raises:
        ValueError: it holds something, or cannot be written to; names the flag.
    """
    if names_in(path):
        raise ValueError(f"--{flag}={path} is not empty: name another")
    check_output_directory(path, flag)


def check_output_directory(path: str, flag: str) -> None:
    """Makes a folder, and makes sure that files can be written to it.

    Raises:
        ValueError: it cannot be made or written to; names the flag.
    """
    try:
        make_directory(path)
        if not is_remote(path):
            probe = os.path.join(path, f".{os.getpid()}{_TEMPORARY}")
            open_new(probe).close()
            os.unlink(probe)
    except OSError as error:
        raise ValueError(
            f"--{flag}: {path}: {error.strerror or error}"
        ) from None
    except Exception as error:
        # An error of TensorFlow's, whose class is known once it is imported.
        if not hasattr(error, "message"):
            raise
        raise ValueError(f"--{flag}: {error.message}") from None
