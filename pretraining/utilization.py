"""Which share of the devices' arithmetic the model's own arithmetic is.

Source: Chowdhery et al. 2022, appendix B (model FLOPs utilization).
"""

import os

import tensorflow as tf

from modeling.encoder import Encoder

# Dense bfloat16 (float16 where there is none), in TFLOP/s of a chip.
# Source: Google Cloud's documentation of each TPU version.
TPU_PEAKS = {
    "v2": 45,
    "v3": 123,
    "v4": 275,
    "v5litepod": 197,
    "v5p": 459,
    "v6e": 918,
}
# Of these, types such as v4-8 count cores, two of which make a chip.
_COUNTED_BY_CORES = ("v2", "v3", "v4", "v5p")
# Source: NVIDIA's data sheets, without sparsity. The first name that is part of
# the device's counts.
GPU_PEAKS = {
    "H200": 989,
    "H100 PCIe": 756,
    "H100": 989,
    "A100": 312,
    "L40S": 362,
    "L4": 121,
    "V100": 125,
    "T4": 65,
}


class Speed:
    """Says how fast a run is, and which share of the peak that is, if known.

    Args:
        config: a `PretrainingConfig`.
        encoder: a `modeling.encoder.Encoder`.
        devices: a `tf.distribute.Strategy`.
    """

    def __init__(self, config, encoder, devices):
        self._batch_size = config.train_batch_size
        self._peak = config.peak_teraflops or _known_peak(devices)
        self._flops = training_flops(
            encoder, config.max_seq_length, config.max_predictions_per_seq
        )

    def numbers(self, steps_per_second):
        """Returns {name: number} to report."""
        speed = steps_per_second * self._batch_size
        numbers = {"examples_per_second": speed}
        if self._peak:
            share = speed * self._flops / (self._peak * 1e12)
            numbers["model_flops_utilization"] = share
        return numbers


def training_flops(
    encoder: Encoder, max_seq_length: int, max_predictions_per_seq: int
) -> int:
    """Returns the arithmetic of matrix products for training on a sequence.

    A multiplication and an addition are two; the backward pass takes twice what
    the forward pass takes. What is computed again to save memory counts once.
    """
    config = encoder.config
    width, embedding_size = config.hidden_size, config.embedding_size
    masked = embedding_size * (width + config.vocab_size)
    pairs = 2 * width
    heads = 2 * (max_predictions_per_seq * masked + pairs)
    return 3 * (encoder.forward_flops(max_seq_length) + heads)


def _known_peak(devices):
    """Returns the TFLOP/s of all devices together, or None."""
    if isinstance(devices, tf.distribute.TPUStrategy):
        return _tpu_peak(os.environ.get("TPU_ACCELERATOR_TYPE", ""))
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return None
    details = tf.config.experimental.get_device_details(gpus[0])
    peak = _gpu_peak(details.get("device_name", ""))
    return peak and peak * devices.num_replicas_in_sync


def _tpu_peak(accelerator_type):
    kind, _, count = accelerator_type.partition("-")
    if kind not in TPU_PEAKS or not count.isdecimal():
        return None
    num_chips = int(count) / (2 if kind in _COUNTED_BY_CORES else 1)
    return TPU_PEAKS[kind] * num_chips


def _gpu_peak(name):
    return next((GPU_PEAKS[part] for part in GPU_PEAKS if part in name), None)
