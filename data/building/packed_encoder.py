"""Writes recipes as records of several sequences: `records.PACKED_FEATURES`."""

import numpy as np

from data.building import recipes, wire
from text.compiled import njit


@njit()
def encode(corpus, rules, keys, rows, chosen, sizes, pack_sequences, out):
    """Writes records to `out`, framed; returns their bytes.

    Args:
        corpus: `instances.Corpus`.
        rules: `instances.Rules`.
        keys: the names of the features, each uint8 [bytes].
        rows: uint16 [recipes, words], see `recipes`.
        chosen: the recipes, in order.
        sizes: how many of them each record holds.
        pack_sequences: most sequences a record.
        out: uint8 [bytes], with room for all.
    """
    num_tokens = rules.max_seq_length
    num_predictions = rules.masking.max_predictions_per_seq
    tokens = np.empty((3, num_tokens), np.int32)
    masks = np.empty((2, num_predictions), np.int32)
    sequences = np.empty((2, pack_sequences), np.int32)
    first = end = 0
    for size in sizes:
        last = first + np.int64(size)
        # Store the sum where the record will overwrite it, or the compiler
        # drops the reads, whose only use is to fetch memory.
        out[end] = recipes.touch(corpus, rows, chosen[first:last])
        tokens[0] = rules.padding_id
        tokens[1:] = 0
        masks[:] = 0
        sequences[:] = 0
        num_masks = _assemble(
            corpus, rules, rows, chosen[first:last], tokens, masks, sequences
        )
        begin = end + wire.FRAME_BYTES - 4
        end = _write_example(
            out, begin, keys, tokens, masks, sequences, num_masks, last - first
        )
        end = wire.write_frame(out, begin, end)
        first = last
    return end


@njit()
def _assemble(corpus, rules, rows, chosen, tokens, masks, sequences):
    """Writes the features, which are 0; returns the number of masks."""
    start = num_masks = 0
    for index in range(len(chosen)):
        row = rows[chosen[index]]
        a, a_end, b, b_end = recipes.segments(row)
        ids = tokens[0, start:]
        num_tokens = recipes.assemble(
            corpus.ids, a, a_end, b, b_end, rules, ids
        )
        tokens[1, start : start + num_tokens] = index + 1
        second = recipes.second_segment(row, rules, num_tokens)
        tokens[2, start + second : start + num_tokens] = 1
        for k in range(row[recipes.NUM_MASKS]):
            position, token = recipes.mask(row, k, masks.shape[1])
            masks[0, num_masks] = start + position
            masks[1, num_masks] = ids[position]
            num_masks += 1
            if token >= 0:
                ids[position] = token
        sequences[0, index] = start
        sequences[1, index] = row[recipes.LABEL]
        start += num_tokens
    return num_masks


@njit()
def _write_example(
    out, end, keys, tokens, masks, sequences, num_masks, num_sequences
):
    """Writes the features in the order of PACKED_FEATURES."""
    out[end] = wire.FIELD_1
    num_all = _integers_bytes(keys[:3], tokens)
    num_all += _integers_bytes(keys[3:5], masks)
    num_all += wire.entry_bytes(len(keys[5]), 4 * masks.shape[1])
    num_all += _integers_bytes(keys[6:8], sequences)
    num_all += wire.entry_bytes(len(keys[8]), 4 * sequences.shape[1])
    end = wire.write_varint(out, end + 1, num_all)
    end = _write_integers(out, end, keys[:3], tokens)
    end = _write_integers(out, end, keys[3:5], masks)
    end = _write_weights(out, end, keys[5], num_masks, masks.shape[1])
    end = _write_integers(out, end, keys[6:8], sequences)
    return _write_weights(out, end, keys[8], num_sequences, sequences.shape[1])


@njit()
def _integers_bytes(keys, values):
    num_bytes = 0
    for k in range(len(keys)):
        num_packed = wire.packed_bytes(values[k])
        num_bytes += wire.entry_bytes(len(keys[k]), num_packed)
    return num_bytes


@njit()
def _write_integers(out, end, keys, values):
    for k in range(len(keys)):
        num_packed = wire.packed_bytes(values[k])
        end = wire.write_entry(out, end, keys[k], num_packed, wire.INT64_LIST)
        end = wire.write_packed(out, end, values[k])
    return end


@njit()
def _write_weights(out, end, key, num_ones, num_values):
    num_bytes = 4 * num_values
    end = wire.write_entry(out, end, key, num_bytes, wire.FLOAT_LIST)
    out[end : end + num_bytes] = 0
    for k in range(num_ones):
        # 1.0 in float32, little endian.
        out[end + 4 * k + 2] = 0x80
        out[end + 4 * k + 3] = 0x3F
    return end + num_bytes
