"""What is packed in a file: members of archives, unpacked as they are read."""

import bz2
import gzip
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

from corpus.reading import extras, rules, streams
from corpus.reading.streams import Stream
from corpus.tally import Tally

_TAR_BLOCK = 512
_TAR_READ_BYTES = 1 << 13
# Unpacked at once: at most 128 KiB of every four bytes.
_ZSTD_READ_BYTES = 1 << 12
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_IS_ENCRYPTED = 1
_IS_UTF_8 = 1 << 11
# What a file of an office program has, packed as zip.
_OFFICE = "[Content_Types].xml"


def _gzip(stream):
    return gzip.GzipFile(fileobj=stream).read1


def _bzip2(stream):
    return bz2.BZ2File(stream).read1


def _xz(stream):
    return lzma.LZMAFile(stream).read1


def _zstd(stream):
    zstandard = extras.load("zstandard", "zstandard", stream.name)
    blocks = filter(None, _zstd_blocks(stream, zstandard.ZstdDecompressor()))
    return streams.at_most(lambda _: next(blocks, b""))


def _zstd_blocks(stream, unpacker):
    """Yields what is unpacked of frame after frame.

    The library's own stream ends without a word where a file is cut off.
    """
    while data := stream.read(_ZSTD_READ_BYTES):
        while data:
            frame = unpacker.decompressobj()
            while not frame.eof:
                if not data and not (data := stream.read(_ZSTD_READ_BYTES)):
                    raise EOFError("the file ends within a frame")
                yield frame.decompress(data)
                data = frame.unused_data if frame.eof else b""


# {the first bytes: what reads the unpacked bytes}
_PACKERS: dict[bytes, Callable[[Any], Callable[[int], bytes]]] = {
    b"\x1f\x8b": _gzip,
    b"BZh": _bzip2,
    b"\xfd7zXZ\0": _xz,
    b"\x28\xb5\x2f\xfd": _zstd,
}


def is_packed(head: bytes) -> bool:
    """Whether a file is packed or an archive, by its first 512 bytes."""
    return head.startswith((*_PACKERS, *_ZIP)) or _is_tar(head)


def unpacked(stream: Stream, tally: Tally, layer: int = 0) -> Iterator[Stream]:
    """Yields what is in a file: itself, unpacked, or the members of an archive.

    Each must be read before the next is asked for. Memory: a few buffers.
    """
    head = stream.peek(_TAR_BLOCK)
    if layer > rules.MAX_LAYERS and is_packed(head):
        tally.note("file_nested", "", stream.name)
        return
    for magic, unpack in _PACKERS.items():
        if head.startswith(magic):
            inner = Stream(unpack(stream), stream.name, tally, outer=stream)
            yield from unpacked(inner, tally, layer + 1)
            return
    if head.startswith(_ZIP):
        found = _zip_members(stream, tally)
    elif _is_tar(head):
        found = _tar_members(stream, tally)
    else:
        yield stream
        return
    for member in found:
        yield from unpacked(member, tally, layer + 1)


def _is_tar(head):
    if len(head) < _TAR_BLOCK:
        return False
    try:
        tarfile.TarInfo.frombuf(head[:_TAR_BLOCK], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _tar_members(stream, tally):
    faults = []

    class Header(tarfile.TarInfo):
        """Remembers a damaged header, at which `tarfile` would just stop."""

        @classmethod
        def frombuf(cls, *args):
            try:
                return super().frombuf(*args)
            except (
                tarfile.InvalidHeaderError,
                tarfile.TruncatedHeaderError,
            ) as error:
                faults.append(error)
                raise

    try:
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=Header) as archive:
            for member in archive:
                if member.isfile():
                    name = f"{stream.name}:{_printable(member.name)}"
                    read = _reader_of(archive, member)
                    inner = Stream(read, name, tally, outer=stream)
                    yield inner
                    stream.is_faulty |= inner.is_faulty
    except streams.DiskError:
        raise
    except (*streams.FAULTS, ValueError) as error:
        faults = [error]
    if faults:
        stream.end(faults[0])


def _reader_of(archive, member):
    read = archive.extractfile(member).read1
    # Where an archive ends too early, `tarfile` drops all of the last read.
    return lambda size: read(min(size, _TAR_READ_BYTES))


def _zip_members(stream, tally):
    file = streams.spooled(stream, tally)
    if file is None:
        return
    try:
        archive = zipfile.ZipFile(file)
    except streams.DiskError:
        raise
    except (*streams.FAULTS, ValueError) as error:
        stream.end(error)
        return
    with archive:
        if _OFFICE in archive.namelist():
            tally.note("file_not_text", "an office document", stream.name, 0)
            return
        for info in archive.infolist():
            name = f"{stream.name}:{_printable(_zip_name(info))}"
            if info.is_dir():
                continue
            if info.flag_bits & _IS_ENCRYPTED:
                tally.note("file_encrypted", "", name)
                continue
            yield _zip_member(archive, info, name, tally, stream)


def _zip_member(archive, info, name, tally, stream):
    try:
        read = archive.open(info).read1
        return Stream(read, name, tally, outer=stream)
    except streams.DiskError:
        raise
    # It says so, too, of a damaged header that seems to want a password.
    except (*streams.FAULTS, ValueError, RuntimeError) as error:
        fault = zipfile.BadZipFile(error)

    def fail(_):
        raise fault

    return Stream(fail, name, tally)


def _zip_name(info):
    """The name, which Chinese Windows writes in its own encoding."""
    if info.flag_bits & _IS_UTF_8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("gbk")
    except UnicodeError:
        return info.filename


def _printable(name):
    return "".join(c if c.isprintable() else "\ufffd" for c in name)
