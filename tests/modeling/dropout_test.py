"""Dropout masks: the right share, independent, and always the same."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from modeling import dropout

_SHAPE = (64, 4, 32, 32)


def _kept(seed, name, rate=0.1):
    layer = dropout.Dropout(rate, name=name)
    dropped = layer(ops.ones(_SHAPE), seed=ops.convert_to_tensor(seed))
    return ops.convert_to_numpy(dropped) > 0


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_the_share_of_zeros_is_the_rate(rate):
    kept = _kept(1, "a", rate)
    deviation = (rate * (1 - rate) / kept.size) ** 0.5
    assert abs((1 - kept.mean()) - rate) < 4 * deviation
    # And in every place: along no axis is there a pattern.
    for axis in range(kept.ndim):
        others = tuple(a for a in range(kept.ndim) if a != axis)
        share = 1 - kept.mean(axis=others)
        spread = (rate * (1 - rate) * len(share) / kept.size) ** 0.5
        assert np.abs(share - rate).max() < 5 * spread


@pytest.mark.parametrize(
    "other", [(2, "a"), (1, "b"), (2**31 - 1, "a"), (1 + 2**16, "a")]
)
def test_masks_of_other_steps_and_layers_are_uncorrelated(other):
    first = _kept(1, "a", 0.5).ravel() * 2.0 - 1
    second = _kept(*other, 0.5).ravel() * 2.0 - 1
    bound = 5 / first.size**0.5
    for shift in (0, 1, 32, 1024):
        assert abs(np.mean(first * np.roll(second, shift))) < bound


def test_neighbours_are_uncorrelated():
    signs = _kept(1, "a", 0.5).ravel() * 2.0 - 1
    bound = 5 / signs.size**0.5
    for shift in (1, 2, 32, 1024, 4096):
        assert abs(np.mean(signs * np.roll(signs, shift))) < bound


def test_the_same_seed_gives_the_same_mask_in_a_new_layer():
    assert (_kept(7, "a") == _kept(7, "a")).all()


def test_the_expectation_is_kept_and_no_seed_means_no_dropout():
    layer = dropout.Dropout(0.1)
    ones = ops.ones(_SHAPE)
    mean = float(ops.mean(layer(ones, seed=ops.convert_to_tensor(3))))
    assert abs(mean - 1) < 5 * (0.1 / 0.9 / np.prod(_SHAPE)) ** 0.5
    assert (ops.convert_to_numpy(layer(ones)) == 1).all()


@pytest.mark.parametrize("shape", [(5, 7), (2, 3, 5, 7)])
def test_a_transposed_mask_is_the_transpose_of_the_mask(shape):
    layer, seed = dropout.Dropout(0.5), ops.convert_to_tensor(3)
    swapped = (*shape[:-2], shape[-1], shape[-2])
    plain = layer(ops.ones(shape), seed=seed)
    transposed = layer(ops.ones(swapped), seed=seed, is_transposed=True)
    assert (
        ops.convert_to_numpy(ops.swapaxes(plain, -1, -2))
        == ops.convert_to_numpy(transposed)
    ).all()


@pytest.mark.parametrize("is_transposed", [False, True])
def test_bits_are_a_hash_of_each_element_s_number(is_transposed):
    shape, seed, salt = (2, 3, 5, 7), 2**32 - 5, 12345
    number = np.arange(np.prod(shape), dtype=np.uint64).reshape(shape)
    if is_transposed:
        number = np.swapaxes(number.reshape(2, 3, 7, 5), 2, 3)

    def mix(x):
        for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B), (16, 1)):
            x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor) % 2**32
        return x

    key = mix(np.uint64(seed ^ salt))
    wanted = mix((number * np.uint64(0x9E3779B1) + key) % 2**32) ^ key
    found = dropout.random_bits(
        shape,
        ops.convert_to_tensor(seed, dtype="uint32"),
        salt,
        is_transposed,
    )
    assert (ops.convert_to_numpy(found) == wanted).all()


def test_no_constant_of_a_mask_s_size_is_in_a_program():
    shape = (16, 128, 32)

    @tf.function(jit_compile=True)
    def bits(seed):
        return dropout.random_bits(shape, seed, salt=1)

    make_hlo = bits.experimental_get_compiler_ir(tf.constant(7))
    hlo = make_hlo(stage="hlo_serialized", platform_name="CPU")
    assert len(hlo) < np.prod(shape)
