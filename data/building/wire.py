"""Writes the bytes of protocol buffers and of TFRecord files, compiled.

A `write_` function writes at `out[end]` and returns the end after it. A varint
is a number in groups of seven bits, the lowest first; the top bit of a byte
says that another one follows:

    300 = 10 0101100  ->  1_0101100 0_0000010  =  ac 02

`encoder` shows the bytes of a record.
Source: protobuf.dev, "Encoding"; tensorflow/core/example/feature.proto;
TensorFlow's record_writer.h.
"""

from data.building import crc32c
from text.compiled import njit

# A tag is field << 3 | wire type, and all we write are of type 2: a length,
# then so many bytes. FIELD_1 is the tag of Example.features, Features.feature,
# the key of a map entry, BytesList.value and the packed values of the other
# lists; _FIELD_2 is that of the value of a map entry. The three lists are the
# fields 1, 2 and 3 of Feature.
FIELD_1 = 0x0A
_FIELD_2 = 0x12
BYTES_LIST = 0x0A
FLOAT_LIST = 0x12
INT64_LIST = 0x1A
FRAME_BYTES = 16  # length 8, its checksum 4, the checksum of the data 4


@njit()
def write_packed(out, end, values):
    for value in values:
        end = write_varint(out, end, value)
    return end


@njit()
def packed_bytes(values):
    """Bytes of the varints of `values`."""
    num_bytes = len(values)
    # By index: Numba's iterator over an array is not vectorized.
    for k in range(len(values)):
        value = values[k]
        num_bytes += (value >= 1 << 7) + (value >= 1 << 14)
        num_bytes += (value >= 1 << 21) + (value >= 1 << 28)
    return num_bytes


@njit()
def _varint_bytes(value):
    num_bytes = 1
    while value >= 0x80:
        value >>= 7
        num_bytes += 1
    return num_bytes


@njit()
def entry_bytes(num_key, num_packed):
    """Bytes of a map entry with a key and packed values of these sizes."""
    num_list = 1 + _varint_bytes(num_packed) + num_packed
    num_value = 1 + _varint_bytes(num_list) + num_list
    num_entry = 2 + num_key + 1 + _varint_bytes(num_value) + num_value
    return 1 + _varint_bytes(num_entry) + num_entry


@njit()
def write_entry(out, end, key, num_packed, kind):
    """Writes all of a map entry that stands before its packed values."""
    num_list = 1 + _varint_bytes(num_packed) + num_packed
    num_value = 1 + _varint_bytes(num_list) + num_list
    num_entry = 2 + len(key) + 1 + _varint_bytes(num_value) + num_value
    out[end] = FIELD_1
    end = write_varint(out, end + 1, num_entry)
    out[end] = FIELD_1
    out[end + 1] = len(key)
    end += 2
    for byte in key:
        out[end] = byte
        end += 1
    out[end] = _FIELD_2
    end = write_varint(out, end + 1, num_value)
    out[end] = kind
    end = write_varint(out, end + 1, num_list)
    out[end] = FIELD_1
    return write_varint(out, end + 1, num_packed)


@njit()
def write_varint(out, end, value):
    while value >= 0x80:
        out[end] = (value & 0x7F) | 0x80
        value >>= 7
        end += 1
    out[end] = value
    return end + 1


@njit()
def write_frame(out, begin, end):
    """Writes the length and the checksums around `out[begin:end]`."""
    _write_fixed(out, begin - 12, end - begin, 8)
    _write_fixed(out, begin - 4, crc32c.masked(out[begin - 12 : begin - 4]), 4)
    _write_fixed(out, end, crc32c.masked(out[begin:end]), 4)
    return end + 4


@njit()
def _write_fixed(out, begin, value, num_bytes):
    for i in range(num_bytes):
        out[begin + i] = (value >> (8 * i)) & 0xFF
