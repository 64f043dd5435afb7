"""A GPU that cannot be used is one line at the start of a run."""

import pytest
import tensorflow as tf

from tests import fake_cards
from tests.fake_cards import A100, GTX_980, H100, RTX_5090, card
from training import gpus, nvidia, strategy

BUILT = {"cuda_compute_capabilities": list(nvidia.WHEEL)}


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A function that makes the cards, and those that TensorFlow sees."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(nvidia, "is_here", lambda: False)
    monkeypatch.setattr(tf.sysconfig, "get_build_info", lambda: BUILT)
    monkeypatch.setattr(tf.test, "is_built_with_cuda", lambda: True)

    def make(*cards, seen=(), is_installed=True):
        monkeypatch.setenv("PATH", fake_cards.install(tmp_path, *cards))
        monkeypatch.setattr(nvidia, "_is_installed", lambda name: is_installed)
        monkeypatch.setattr(
            tf.config, "get_visible_devices", lambda kind: list(seen)
        )
        monkeypatch.setattr(
            tf.config.experimental, "get_device_details", _details
        )

    return make


def _details(kind):
    name, capability, _ = kind
    major, minor = capability.split(".")
    return {
        "device_name": name,
        "compute_capability": (int(major), int(minor)),
    }


def _refusal(device="auto"):
    with pytest.raises(ValueError) as raised:
        gpus.choose(device)
    said = str(raised.value)
    assert "\n" not in said
    return said


def test_a_run_does_not_fall_back_to_the_cpu_beside_a_card(machine):
    machine(card(H100), is_installed=False)
    said = _refusal()
    assert "TensorFlow sees no GPU, and there is NVIDIA H100" in said
    assert "pip install -e '.[gpu]'" in said
    assert "--device=cpu" in said


def test_with_the_libraries_the_reason_is_one_that_tensorflow_knows(machine):
    machine(card(H100))
    assert "TF_CPP_MIN_LOG_LEVEL=0" in _refusal()


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (card(A100, driver="470.57.02"), "470.57.02 is older than 525.60"),
        (card(GTX_980), "its compute capability 5.2 is none"),
    ],
)
def test_a_card_that_tensorflow_leaves_out_is_told_why(machine, found, words):
    machine(found)
    assert words in _refusal()


def test_a_driver_without_nvidia_smi_counts(machine, monkeypatch):
    machine()
    gpus.choose("auto")
    monkeypatch.setattr(nvidia, "is_here", lambda: True)
    assert "an NVIDIA card" in _refusal()


@pytest.mark.parametrize("value", ["", "-1"])
def test_a_user_who_hides_the_cards_gets_the_cpu(machine, monkeypatch, value):
    machine(card(H100), is_installed=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    gpus.choose("auto")
    assert "CUDA_VISIBLE_DEVICES hides" in _refusal("gpu")


def test_the_flag_hides_them_too(machine, monkeypatch):
    machine(card(RTX_5090), seen=[RTX_5090])
    hidden = []
    monkeypatch.setattr(
        tf.config, "set_visible_devices", lambda *what: hidden.append(what)
    )
    gpus.choose("cpu")
    assert hidden == [([], "GPU")]


def test_who_insists_on_a_gpu_gets_one_or_an_error(machine):
    machine()
    assert "nvidia-smi lists no card" in _refusal("gpu")
    machine(card(RTX_5090), seen=[RTX_5090])
    gpus.choose("gpu")


def test_a_card_that_would_abort_the_process_is_refused(machine):
    machine(card(RTX_5090), seen=[RTX_5090])
    said = _refusal()
    assert f"TensorFlow {tf.__version__} cannot compute on" in said
    assert "NVIDIA GeForce RTX 5090" in said
    assert "compute capability 12.0" in said
    assert "CUDA_VISIBLE_DEVICES" not in said
    assert "--device=cpu" in said


def test_of_several_cards_those_that_can_are_named(machine):
    machine(
        card(RTX_5090, number=7),
        card(A100, number=8),
        card(H100, number=9),
        seen=[A100, RTX_5090, H100],
    )
    said = _refusal()
    assert "A100" not in said
    assert "CUDA_VISIBLE_DEVICES=GPU-00000008,GPU-00000009 leaves" in said


def test_a_build_for_the_card_is_taken(machine, monkeypatch):
    machine(card(RTX_5090), seen=[RTX_5090])
    monkeypatch.setattr(
        tf.sysconfig,
        "get_build_info",
        lambda: {"cuda_compute_capabilities": ["sm_120"]},
    )
    gpus.choose("auto")


def test_the_log_names_the_cards_and_their_memory(machine, monkeypatch):
    machine(card(A100), card(A100, number=1), seen=[A100, A100])
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [1])
    devices = tf.distribute.get_strategy()
    assert gpus.describe() == "2 x NVIDIA A100-SXM4-40GB, 40 GiB"
    assert strategy.describe(devices) == (
        "1 GPU replica (2 x NVIDIA A100-SXM4-40GB, 40 GiB)"
    )
    machine(seen=[H100])
    assert gpus.describe() == "NVIDIA H100 80GB HBM3"


def test_every_program_asks_before_it_computes(machine):
    machine(card(H100), is_installed=False)
    with pytest.raises(ValueError, match="TensorFlow sees no GPU"):
        strategy.create()
