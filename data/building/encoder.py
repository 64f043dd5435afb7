"""Writes recipes as records.

The bytes are those of a serialized `tf.train.Example` (protocol buffers
encoding) in the TFRecord framing. With --max_seq_length=8 a record begins so:

    d1 00 00 00 00 00 00 00   length of the data: 0xd1 bytes
    9f c9 21 d9               checksum of the length
    0a ce 01                  Example.features, 0xce bytes (as a varint)
      0a 19                   an entry of the map, 0x19 bytes
        0a 09 "input_ids"     its key
        12 0c 1a 0a           its value: a feature, an int64_list in it
          0a 08               the 8 values, packed, a varint each:
          02 05 04 03 07 08 03 00     [CLS] 5 [MASK] [SEP] 7 8 [SEP] and padding
      0a 1a ...               the next entry, "input_mask"
    d7 9f f6 69               behind the last entry: checksum of the data

All lengths stand before what they measure. So a record is written in two
passes: the sizes of its values are added up first (`wire.entry_bytes`).
"""

from collections.abc import Callable

import numpy as np

from data.building import packed_encoder, recipes, wire
from data.building.instances import Corpus, Rules
from data.records import (
    DYNAMIC_FEATURES,
    PACKED_FEATURES,
    PRETRAINING_FEATURES,
    Feature,
)
from text.compiled import njit

_TOUCHED_AT_ONCE = 16


class Encoder:
    """Encodes recipes as records framed for a TFRecord file."""

    def __init__(self, corpus: Corpus, rules: Rules, pack_sequences: int = 0):
        """Keeps what all records are made from.

        Args:
            corpus: the text that recipes are of.
            rules: those that they were drawn by.
            pack_sequences: most sequences a record; 0 is one without number.
        """
        features: tuple[Feature, ...]
        self._encode: Callable[..., int]
        if pack_sequences:
            features, self._encode = PACKED_FEATURES, packed_encoder.encode
        elif rules.is_masked:
            features, self._encode = PRETRAINING_FEATURES, _encode
        else:
            features, self._encode = DYNAMIC_FEATURES, _encode_unmasked
        names = [feature.name.encode() for feature in features]
        keys = tuple(np.frombuffer(name, np.uint8) for name in names)
        self._of_all = (corpus, rules, keys)
        self._pack_sequences = pack_sequences
        self._widest = _widest_record(
            rules.max_seq_length,
            rules.masking.max_predictions_per_seq,
            pack_sequences,
        )
        self._out = np.empty(0, np.uint8)

    def encode(
        self,
        rows: np.ndarray,
        chosen: np.ndarray,
        sizes: np.ndarray | None = None,
    ) -> np.ndarray:
        """Returns the records of the recipes `rows[chosen]`, in order.

        Args:
            rows: uint16 [recipes, words], see `recipes`.
            chosen: int64 or uint32 [n].
            sizes: [records]: how many of them each record holds, where they
                are packed.

        Returns:
            A view, uint8 [bytes], that the next call overwrites.
        """
        packing: tuple = ()
        num_records = len(chosen)
        if self._pack_sequences and sizes is not None:
            packing = (sizes, self._pack_sequences)
            num_records = len(sizes)
        if len(self._out) < self._widest * num_records:
            self._out = np.empty(self._widest * num_records, np.uint8)
        num_bytes = self._encode(
            *self._of_all, rows, chosen, *packing, self._out
        )
        return self._out[:num_bytes]


def _widest_record(max_seq_length, max_predictions_per_seq, pack_sequences):
    """Most bytes that a record can take: a varint of an id has five."""
    names = sum(len(feature.name) for feature in PACKED_FEATURES)
    headers = len(PACKED_FEATURES) * 30
    ids = 5 * (max_seq_length + 2 * max_predictions_per_seq)
    others = 2 * max_seq_length + 4 * max_predictions_per_seq
    # Numbers of sequences, 1 to N, and places of their [CLS].
    packed = 2 * bool(pack_sequences) * max_seq_length + 8 * pack_sequences
    return wire.FRAME_BYTES + 6 + names + headers + ids + others + packed


@njit()
def _encode(corpus, rules, keys, rows, chosen, out):
    num_predictions = rules.masking.max_predictions_per_seq
    ids = np.empty(rules.max_seq_length, np.int32)
    positions = np.empty(num_predictions, np.int32)
    labels = np.empty(num_predictions, np.int32)
    end = 0
    for index in range(len(chosen)):
        if index % _TOUCHED_AT_ONCE == 0:
            # Store the sum where the next record will overwrite it, or the
            # compiler drops the reads, whose only use is to fetch memory.
            out[end] = recipes.touch(
                corpus, rows, chosen[index : index + _TOUCHED_AT_ONCE]
            )
        row = rows[chosen[index]]
        a, a_end, b, b_end = recipes.segments(row)
        num_tokens = recipes.assemble(
            corpus.ids, a, a_end, b, b_end, rules, ids
        )
        # The arrays are those of the record before: fill up what is behind.
        ids[num_tokens:] = rules.padding_id
        positions[:] = 0
        labels[:] = 0
        num_masks = np.int64(row[recipes.NUM_MASKS])
        for k in range(num_masks):
            position, token = recipes.mask(row, k, num_predictions)
            positions[k] = position
            # The label is the token that stood there before the mask.
            labels[k] = ids[position]
            if token >= 0:
                ids[position] = token
        begin = end + wire.FRAME_BYTES - 4
        end = _write_example(
            out,
            begin,
            keys,
            ids,
            num_tokens,
            recipes.second_segment(row, rules, num_tokens),
            positions,
            labels,
            num_masks,
            row[recipes.LABEL],
        )
        end = wire.write_frame(out, begin, end)
    return end


@njit()
def _encode_unmasked(corpus, rules, keys, rows, chosen, out):
    all_ids = np.empty(rules.max_seq_length, np.int32)
    begins = np.ones(rules.max_seq_length, np.bool_)
    end = 0
    for index in range(len(chosen)):
        if index % _TOUCHED_AT_ONCE == 0:
            out[end] = recipes.touch(
                corpus, rows, chosen[index : index + _TOUCHED_AT_ONCE]
            )
        row = rows[chosen[index]]
        a, a_end, b, b_end = recipes.segments(row)
        num_tokens = recipes.assemble(
            corpus.ids, a, a_end, b, b_end, rules, all_ids
        )
        recipes.assemble_begins(corpus, a, a_end, b, b_end, rules, begins)
        begins[num_tokens - 1] = True
        ids = all_ids[:num_tokens]
        begin = end + wire.FRAME_BYTES - 4
        end = _write_unmasked(
            out,
            begin,
            keys,
            ids,
            begins[:num_tokens],
            a_end - a + 2,
            row[recipes.LABEL],
        )
        end = wire.write_frame(out, begin, end)
    return end


@njit()
def _write_unmasked(out, end, keys, ids, begins, num_first, label):
    """Writes the features in the order of DYNAMIC_FEATURES."""
    num_ids = wire.packed_bytes(ids)
    num_bits = (len(begins) + 7) // 8
    # --max_seq_length is at most 2**15, so a length takes 1 to 3 bytes.
    num_number = 1 if num_first < 1 << 7 else 2 + (num_first >= 1 << 14)
    num_all = wire.entry_bytes(len(keys[0]), num_ids)
    num_all += wire.entry_bytes(len(keys[1]), num_bits)
    num_all += wire.entry_bytes(len(keys[2]), num_number)
    num_all += wire.entry_bytes(len(keys[3]), 1)
    out[end] = wire.FIELD_1
    end = wire.write_varint(out, end + 1, num_all)
    end = wire.write_entry(out, end, keys[0], num_ids, wire.INT64_LIST)
    end = wire.write_packed(out, end, ids)
    end = wire.write_entry(out, end, keys[1], num_bits, wire.BYTES_LIST)
    out[end : end + num_bits] = 0
    for position in range(len(begins)):
        out[end + (position >> 3)] |= begins[position] << (position & 7)
    end += num_bits
    end = wire.write_entry(out, end, keys[2], num_number, wire.INT64_LIST)
    end = wire.write_varint(out, end, num_first)
    end = wire.write_entry(out, end, keys[3], 1, wire.INT64_LIST)
    out[end] = label
    return end + 1


@njit()
def _write_example(
    out,
    end,
    keys,
    ids,
    num_tokens,
    second,
    positions,
    labels,
    num_masks,
    label,
):
    """Writes the features in the order of PRETRAINING_FEATURES."""
    num_ids = wire.packed_bytes(ids)
    num_positions = wire.packed_bytes(positions)
    num_labels = wire.packed_bytes(labels)
    num_weights = 4 * len(positions)  # floats, not varints
    num_all = wire.entry_bytes(len(keys[0]), num_ids)
    num_all += wire.entry_bytes(len(keys[1]), len(ids))
    num_all += wire.entry_bytes(len(keys[2]), len(ids))
    num_all += wire.entry_bytes(len(keys[3]), num_positions)
    num_all += wire.entry_bytes(len(keys[4]), num_labels)
    num_all += wire.entry_bytes(len(keys[5]), num_weights)
    num_all += wire.entry_bytes(len(keys[6]), 1)
    out[end] = wire.FIELD_1
    end = wire.write_varint(out, end + 1, num_all)
    end = wire.write_entry(out, end, keys[0], num_ids, wire.INT64_LIST)
    end = wire.write_packed(out, end, ids)
    end = wire.write_entry(out, end, keys[1], len(ids), wire.INT64_LIST)
    end = _write_flags(out, end, 0, num_tokens, len(ids))
    end = wire.write_entry(out, end, keys[2], len(ids), wire.INT64_LIST)
    end = _write_flags(out, end, second, num_tokens, len(ids))
    end = wire.write_entry(out, end, keys[3], num_positions, wire.INT64_LIST)
    end = wire.write_packed(out, end, positions)
    end = wire.write_entry(out, end, keys[4], num_labels, wire.INT64_LIST)
    end = wire.write_packed(out, end, labels)
    end = wire.write_entry(out, end, keys[5], num_weights, wire.FLOAT_LIST)
    out[end : end + num_weights] = 0
    for k in range(num_masks):
        # 1.0 in float32, little endian.
        out[end + 4 * k + 2] = 0x80
        out[end + 4 * k + 3] = 0x3F
    end += num_weights
    end = wire.write_entry(out, end, keys[6], 1, wire.INT64_LIST)
    out[end] = label
    return end + 1


@njit()
def _write_flags(out, end, first, last, num_values):
    """Writes `num_values` values, 1 in `[first, last)` and 0 elsewhere."""
    out[end : end + num_values] = 0
    out[end + first : end + last] = 1
    return end + num_values
