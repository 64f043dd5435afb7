"""The checksum of TFRecord files, CRC-32C, eight bytes at a time.

By the processor's own instruction where it has one, else by tables.

Source: RFC 3720, appendix B.4 (the polynomial); Kounavis and Berry 2005 (the
eight tables); TensorFlow's record_writer.h (the mask).
"""

import llvmlite.binding
import llvmlite.ir
import numba
import numba.extending
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
def by_tables(crc, data):
    """Moves a checksum on over the whole words of a uint8 array, as int64."""
    t = _TABLES
    for i in range(0, len(data) // 8 * 8, 8):
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
    return crc


@numba.extending.intrinsic
def _instruction(typing_context, crc, word):
    signature = numba.uint64(numba.uint64, numba.uint64)

    def generate(context, builder, signature, arguments):
        word = llvmlite.ir.IntType(64)
        function = builder.module.declare_intrinsic(
            "llvm.x86.sse42.crc32.64.64",
            (),
            llvmlite.ir.FunctionType(word, [word, word]),
        )
        return builder.call(function, arguments)

    return signature, generate


@njit()
def by_instruction(crc, data):
    """The same as `by_tables`, six times as fast."""
    crc = np.uint64(crc)
    for i in range(0, len(data) // 8 * 8, 8):
        # The compiler makes one load of this.
        word = np.uint64(0)
        for k in range(8):
            word |= np.uint64(data[i + k]) << np.uint64(8 * k)
        crc = _instruction(crc, word)
    return np.int64(crc)


HAS_INSTRUCTION = llvmlite.binding.get_host_cpu_features().get("sse4.2", False)
_move_on = by_instruction if HAS_INSTRUCTION else by_tables


@njit()
def crc32c(data):
    """Returns the CRC-32C of a uint8 array, as int64."""
    crc = _move_on(0xFFFFFFFF, data)
    for i in range(len(data) // 8 * 8, len(data)):
        crc = (crc >> 8) ^ _TABLES[0, (crc ^ data[i]) & 0xFF]
    return crc ^ 0xFFFFFFFF


@njit()
def masked(data):
    """Returns the checksum that a TFRecord file holds, as int64."""
    crc = crc32c(data)
    rotated = (crc >> 15) | (crc << 17)
    return (rotated + _MASK_DELTA) & 0xFFFFFFFF
