"""In what precision matrices are multiplied."""

import os
import pathlib

import tensorflow as tf

# Keras dtype policies, in all of which variables are float32.
POLICIES = {
    "none": "float32",
    "bfloat16": "mixed_bfloat16",
    "float16": "mixed_float16",
}

# Ampere, the first with bfloat16 tensor cores.
_BFLOAT16_CAPABILITY = (8, 0)
# Of a processor that has instructions for products of bfloat16.
_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}
# Values of ONEDNN_MAX_CPU_ISA under which oneDNN refuses products of bfloat16.
# TensorFlow asks the processor and not the variable, and then ends the process
# with a segmentation fault.
_LESSER_PROCESSORS = {"SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2"}


def choose(name: str | None, devices: tf.distribute.Strategy) -> str:
    """Returns a name in `POLICIES`: `name`, or what the devices are best at.

    Args:
        name: the choice of the user, or None.
        devices: where matrices are multiplied.

    Raises:
        ValueError: if the user chose what would end the process.
    """
    if name == "bfloat16" and bfloat16_is_switched_off():
        raise ValueError(
            "--mixed_precision=bfloat16 cannot run on this processor while "
            f"ONEDNN_MAX_CPU_ISA={os.environ['ONEDNN_MAX_CPU_ISA']} is set; "
            "unset the variable, or give --mixed_precision=none"
        )
    if name is not None:
        return name
    return "bfloat16" if _multiplies_bfloat16(devices) else "none"


def _multiplies_bfloat16(devices):
    if isinstance(devices, tf.distribute.TPUStrategy):
        return True
    gpus = tf.config.get_visible_devices("GPU")
    if gpus:
        return all(
            tf.config.experimental.get_device_details(gpu).get(
                "compute_capability", (0, 0)
            )
            >= _BFLOAT16_CAPABILITY
            for gpu in gpus
        )
    return (
        bool(_BFLOAT16_FLAGS & processor_flags())
        and not bfloat16_is_switched_off()
    )


def bfloat16_is_switched_off() -> bool:
    """Tells whether the environment forbids oneDNN what the processor can."""
    allowed = os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper()
    return (
        allowed in _LESSER_PROCESSORS
        and bool(_BFLOAT16_FLAGS & processor_flags())
        and not tf.config.get_visible_devices("GPU")
    )


def processor_flags(path: str = "/proc/cpuinfo") -> set[str]:
    """Returns what Linux says the processor can do; nothing elsewhere."""
    try:
        lines = pathlib.Path(path).read_text().splitlines()
    except OSError:
        return set()
    return {
        flag
        for line in lines
        if line.startswith("flags")
        for flag in line.partition(":")[2].split()
    }
