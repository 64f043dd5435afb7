"""Which share of the devices' arithmetic the model's own arithmetic is.

Source: Chowdhery et al. 2022, appendix B (model FLOPs utilization).
"""

import os

import tensorflow as tf

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

    Also what a step is: its tokens, and the arithmetic of the model in it.

    Args:
        batch_size: sequences a step, over all replicas.
        num_tokens: the length of one of them, padding included.
        sequence_flops: the arithmetic of training on it.
        peak_teraflops: the most of all devices together; without it what is
            known of them.
        devices: where the run is.
    """

    def __init__(
        self,
        *,
        batch_size: int,
        num_tokens: int,
        sequence_flops: int,
        peak_teraflops: float | None,
        devices: tf.distribute.Strategy,
    ):
        self._batch_size = batch_size
        self._num_tokens = num_tokens
        self._flops = sequence_flops
        self._peak = peak_teraflops or _known_peak(devices)

    def numbers(self, steps_per_second: float) -> dict[str, float]:
        """Returns {name: number} to report."""
        speed = steps_per_second * self._batch_size
        numbers = {
            "examples_per_second": speed,
            "tokens_per_second": speed * self._num_tokens,
            "tokens_per_step": self._batch_size * self._num_tokens,
            "teraflops_per_step": self._batch_size * self._flops / 1e12,
        }
        if self._peak:
            share = speed * self._flops / (self._peak * 1e12)
            numbers["model_flops_utilization"] = share
        return numbers


def _known_peak(devices):
    """Returns the TFLOP/s of all devices together, or None."""
    if isinstance(devices, tf.distribute.TPUStrategy):
        return _tpu_peak(os.environ.get("TPU_ACCELERATOR_TYPE", ""))
    gpus = tf.config.get_visible_devices("GPU")
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
