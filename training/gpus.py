"""Which GPUs a run computes on, and what it says where it should and cannot."""

import tensorflow as tf

from training import nvidia
from training.config import Device

_OTHERWISE = "--device=cpu computes on the CPU"
_ANOTHER_BUILD = (
    "a TensorFlow built for it, from source or in NVIDIA's container, may"
)
_GUIDE = "docs/gpu.md"
# Parts of a UUID are enough for CUDA_VISIBLE_DEVICES.
_UUID_CHARACTERS = 12


def choose(device: Device) -> None:
    """Makes TensorFlow use what the flag says, before it uses anything.

    auto takes the GPUs there are, else the CPU. On a machine with an NVIDIA
    driver it does not fall back to the CPU by itself: a run would take a
    hundred times as long, and nobody be told. CUDA_VISIBLE_DEVICES=-1, or
    empty, asks for the CPU as cpu does. gpu insists on a GPU, and takes one
    that TensorFlow may not be built for.

    Raises:
        ValueError: there is a card that cannot be used, or none and it is
            insisted on; says why and what to do.
    """
    if device == "cpu":
        tf.config.set_visible_devices([], "GPU")
        return
    found = tf.config.get_visible_devices("GPU")
    if found and device == "auto":
        _refuse_unserved(found)
    if found:
        return
    if nvidia.is_hidden():
        if device == "gpu":
            raise ValueError(
                "--device=gpu: CUDA_VISIBLE_DEVICES hides the GPUs; unset it"
            )
        return
    _refuse_cpu(nvidia.cards(), device)


def _refuse_cpu(cards: list[nvidia.Card], device: Device) -> None:
    """Refuses to go on without a GPU where one could be had."""
    if not cards and device == "gpu":
        raise ValueError(
            "--device=gpu: nvidia-smi lists no card here; in a container "
            f"start it with --gpus all; see {_GUIDE}"
        )
    if not cards and not nvidia.is_here():
        return
    name = ", ".join(map(str, cards)) or "an NVIDIA card"
    raise ValueError(
        f"TensorFlow sees no GPU, and there is {name}: {_reason(cards)}; "
        f"{_OTHERWISE}; see {_GUIDE}"
    )


def _reason(cards):
    faults = [nvidia.fault(card, _built_for()) for card in cards]
    if faults and all(faults):
        return f"{faults[0]}; {_cure(cards[0])}"
    if not tf.test.is_built_with_cuda():
        return "this TensorFlow is built without CUDA"
    if missing := nvidia.missing_libraries():
        return (
            f"CUDA's libraries are not installed ({missing[0]}"
            f"{' ...' if len(missing) > 1 else ''}); python -m pip install "
            "-e '.[gpu]', 2.8 GB, or bash shell/quickstart.sh, installs them"
        )
    if not cards:
        return "nvidia-smi lists no card: is the driver of this kernel loaded"
    return (
        "CUDA's libraries are installed, and TF_CPP_MIN_LOG_LEVEL=0 before "
        "the command shows what TensorFlow lacks"
    )


def _cure(card):
    if card.capability and not nvidia.is_served(card.capability, _built_for()):
        return _ANOTHER_BUILD
    return "install a newer driver"


def _refuse_unserved(found):
    """Refuses cards for which XLA would end the process with an abort."""
    unserved = [
        gpu
        for gpu in found
        if (capability := _capability(gpu))
        and not nvidia.is_served(capability, _built_for())
    ]
    if not unserved:
        return
    names = ", ".join(dict.fromkeys(map(_name, unserved)))
    raise ValueError(
        f"TensorFlow {tf.__version__} cannot compute on {names}: "
        f"{nvidia.unserved(_capability(unserved[0]))}; "
        f"{_others(len(found) > len(unserved))}{_ANOTHER_BUILD}; "
        f"{_OTHERWISE}; see {_GUIDE}"
    )


def _others(there_are):
    """Says how to use only the cards that can be used, if any can."""
    if not there_are:
        return ""
    served = [
        card.uuid[:_UUID_CHARACTERS]
        for card in nvidia.cards()
        if nvidia.fault(card, _built_for()) is None
    ]
    return (
        f"CUDA_VISIBLE_DEVICES={','.join(served) or 'NUMBERS'} leaves the "
        "others; "
    )


def _built_for():
    return tf.sysconfig.get_build_info().get(
        "cuda_compute_capabilities", nvidia.WHEEL
    )


def _details(gpu):
    return tf.config.experimental.get_device_details(gpu)


def _capability(gpu):
    return _details(gpu).get("compute_capability")


def _name(gpu):
    return _details(gpu).get("device_name", "a GPU")


def describe() -> str:
    """Returns the names and the memory of the GPUs in use; "" without one."""
    names = [_name(gpu) for gpu in tf.config.get_visible_devices("GPU")]
    if not names:
        return ""
    shown = {card.name: str(card) for card in nvidia.cards()}
    counts = {name: names.count(name) for name in names}
    return "; ".join(
        (f"{count} x " if count > 1 else "") + shown.get(name, name)
        for name, count in counts.items()
    )
