"""The checksum against RFC 3720's examples and TensorFlow's files."""

import struct

import numpy as np
import pytest
import tensorflow as tf

from data.building import crc32c

READ_COMMAND = bytes.fromhex(
    "01c00000 00000000 00000000 00000000 14000000 00000400"
    "00000014 00000018 28000000 00000000 02000000 00000000"
)


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
        (READ_COMMAND, 0xD9963A56),
        (b"123456789", 0xE3069283),
        (b"", 0),
    ],
)
def test_the_examples_of_rfc_3720_come_out(data, wanted):
    assert crc32c.crc32c(np.frombuffer(data, np.uint8)) == wanted


def test_the_masked_checksum_is_the_one_in_tensorflows_files(tmp_path):
    rng = np.random.default_rng(0)
    for size in (*range(20), 63, 64, 65, 1000):
        data = rng.integers(0, 256, size, np.uint8)
        path = str(tmp_path / "record")
        with tf.io.TFRecordWriter(path) as writer:
            writer.write(data.tobytes())
        with open(path, "rb") as file:
            written = file.read()
        header = np.frombuffer(written[:8], np.uint8)
        checksums = written[8:12] + written[-4:]
        assert struct.unpack("<II", checksums) == (
            crc32c.masked(header),
            crc32c.masked(data),
        )


@pytest.mark.skipif(
    not crc32c.HAS_INSTRUCTION, reason="the processor has no such instruction"
)
def test_the_instruction_and_the_tables_agree():
    rng = np.random.default_rng(3)
    for size in (0, 7, 8, 9, 64, 1001):
        data = rng.integers(0, 256, size + 1).astype(np.uint8)[1:]
        crc = int(rng.integers(0, 1 << 32))
        assert crc32c.by_tables(crc, data) == crc32c.by_instruction(crc, data)
