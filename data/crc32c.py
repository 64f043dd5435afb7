"""The checksum of TFRecord files, CRC-32C, eight bytes at a time.

Source: RFC 3720, appendix B.4 (the polynomial); Kounavis and Berry 2005 (the
eight tables); TensorFlow's record_writer.h (the mask).
"""

import numpy as np

from text.compiled import njit

_POLYNOMIAL = 0x82F63B78
_MASK_DELTA = 0xA282EAD8


def _make_tables():
    tables = np.zeros((8, 256), np.int64)
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (_POLYNOMIAL if crc & 1 else 0)
        tables[0, byte] = crc
    for k in range(1, 8):
        previous = tables[k - 1]
        tables[k] = (previous >> 8) ^ tables[0, previous & 0xFF]
    return tables


_TABLES = _make_tables()


@njit()
def crc32c(data):
    """Returns the CRC-32C of a uint8 array, as int64."""
    t = _TABLES
    crc = 0xFFFFFFFF
    num_whole = len(data) // 8 * 8
    for i in range(0, num_whole, 8):
        crc = (
            t[7, (crc ^ data[i]) & 0xFF]
            ^ t[6, ((crc >> 8) ^ data[i + 1]) & 0xFF]
            ^ t[5, ((crc >> 16) ^ data[i + 2]) & 0xFF]
            ^ t[4, ((crc >> 24) ^ data[i + 3]) & 0xFF]
            ^ t[3, data[i + 4]]
            ^ t[2, data[i + 5]]
            ^ t[1, data[i + 6]]
            ^ t[0, data[i + 7]]
        )
    for i in range(num_whole, len(data)):
        crc = (crc >> 8) ^ t[0, (crc ^ data[i]) & 0xFF]
    return crc ^ 0xFFFFFFFF


@njit()
def masked(data):
    """Returns the checksum that a TFRecord file holds, as int64."""
    crc = crc32c(data)
    rotated = (crc >> 15) | (crc << 17)
    return (rotated + _MASK_DELTA) & 0xFFFFFFFF
