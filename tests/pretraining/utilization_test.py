"""The model's arithmetic against published formulas."""

import pytest
import tensorflow as tf

from pretraining import utilization
from pretraining.masked_lm import MaskedLm
from tests import tiny


@pytest.mark.parametrize(
    ("layers", "width", "vocab", "tokens"),
    [(12, 768, 21_128, 512), (24, 1024, 30_522, 128), (2, 128, 8_000, 128)],
)
def test_the_arithmetic_is_that_of_narayanan_et_al(
    layers, width, vocab, tokens
):
    """Efficient Large-Scale Language Model Training, 2021, appendix.

    Of a model that predicts every token, without activations computed again.
    """
    bert = tiny.config(
        num_hidden_layers=layers,
        hidden_size=width,
        intermediate_size=4 * width,
        num_attention_heads=2,
        vocab_size=vocab,
    )
    published = (
        72
        * tokens
        * layers
        * width**2
        * (1 + tokens / (6 * width) + vocab / (12 * layers * width))
    )
    # They have no transform before the words and no pairs.
    heads = 6 * (tokens * width**2 + width**2 + 2 * width)
    ours = MaskedLm(bert, use_nsp=True, seed=1).training_flops(tokens, tokens)
    assert ours == pytest.approx(published + heads)


def _speed(peak_teraflops=None):
    return utilization.Speed(
        batch_size=8,
        num_tokens=16,
        sequence_flops=1_000_000,
        peak_teraflops=peak_teraflops,
        devices=tf.distribute.get_strategy(),
    ).numbers(2.0)


def test_the_share_is_told_where_the_peak_is_known():
    assert "model_flops_utilization" not in _speed()
    numbers = _speed(peak_teraflops=1e-3)
    assert numbers["model_flops_utilization"] == 16.0 * 1e6 / 1e9


def test_a_step_is_told_by_its_tokens_and_its_arithmetic():
    numbers = _speed()
    assert numbers["examples_per_second"] == 16.0
    assert numbers["tokens_per_step"] == 8 * 16
    assert numbers["teraflops_per_step"] == 8 * 1e6 / 1e12


@pytest.mark.parametrize(
    ("accelerator_type", "num_chips", "peak"),
    [
        ("v3-8", 4, 123),
        ("v4-8", 4, 275),
        ("v5litepod-4", 4, 197),
        ("v6e-1", 1, 918),
    ],
)
def test_tpu_types_name_chips_or_cores(accelerator_type, num_chips, peak):
    assert utilization._tpu_peak(accelerator_type) == num_chips * peak


@pytest.mark.parametrize("name", ["", "v9-8", "v4", "v4-eight"])
def test_of_unknown_devices_nothing_is_said(name):
    assert utilization._tpu_peak(name) is None
    assert utilization._gpu_peak(name) is None


def test_gpus_are_known_by_a_part_of_their_names():
    peaks = utilization.GPU_PEAKS
    for name, part in (
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("NVIDIA H100 PCIe", "H100 PCIe"),
        ("NVIDIA A100-SXM4-40GB", "A100"),
        ("NVIDIA L40S", "L40S"),
        ("Tesla T4", "T4"),
    ):
        assert utilization._gpu_peak(name) == peaks[part]
