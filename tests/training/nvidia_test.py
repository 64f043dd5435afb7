"""What a fake nvidia-smi lists, and what TensorFlow can do with it."""

import subprocess
import sys

import pytest
import tensorflow as tf

from tests import fake_cards, project
from tests.fake_cards import A100, GTX_980, H100, RTX_5090, card
from training import nvidia


@pytest.fixture
def install(monkeypatch, tmp_path):
    def put(*cards, **options):
        path = fake_cards.install(tmp_path, *cards, **options)
        monkeypatch.setenv("PATH", path)

    return put


def test_cards_are_read_as_nvidia_smi_lists_them(install):
    install(card(H100), card(A100, number=1))
    first, second = nvidia.cards()
    assert str(first) == "NVIDIA H100 80GB HBM3, 80 GiB"
    assert (first.capability, second.capability) == ((9, 0), (8, 0))
    assert second.uuid.startswith("GPU-00000001-")
    assert first.driver == "550.54.15"


def test_an_old_driver_that_cannot_say_the_capability_lists_its_cards(install):
    install(card(H100, driver="460.32.03"), unknown_fields=["compute_cap"])
    (found,) = nvidia.cards()
    assert found.capability is None
    assert "460.32.03 is older than 525.60" in nvidia.fault(found)


def test_what_a_driver_does_not_know_is_none(install):
    install(card(("NVIDIA Thing", "[N/A]", "[N/A]")))
    (found,) = nvidia.cards()
    assert (found.capability, found.memory_mib) == (None, None)
    assert str(found) == "NVIDIA Thing"
    assert nvidia.fault(found) is None


def test_without_a_driver_there_are_no_cards(install, monkeypatch, tmp_path):
    install()
    assert nvidia.cards() == []
    monkeypatch.setenv("PATH", str(tmp_path))
    assert nvidia.cards() == []


@pytest.mark.parametrize(
    ("driver", "is_old"),
    [
        ("470.223.02", True),
        ("525.53", True),
        ("525.60.13", False),
        ("580.65.06", False),
        ("unknown", False),
    ],
)
def test_drivers_before_cuda_12_are_refused(driver, is_old):
    found = nvidia.Card("a card", "GPU-1", driver, capability=(8, 6))
    assert bool(nvidia.fault(found)) == is_old


@pytest.mark.parametrize(
    ("capability", "is_served"),
    [
        ((5, 2), False),
        ((6, 1), True),
        ((7, 5), True),
        ((8, 6), True),
        ((8, 9), True),
        ((9, 0), True),
        ((10, 0), False),
        ((12, 0), False),
        ((12, 1), False),
    ],
)
def test_generations_that_the_wheels_are_built_for(capability, is_served):
    assert nvidia.is_served(capability, nvidia.WHEEL) == is_served


def test_a_build_for_a_newer_card_serves_it():
    assert nvidia.is_served((12, 0), ["sm_90", "sm_120"])
    assert nvidia.is_served((12, 1), ["compute_120a"])
    assert not nvidia.is_served((8, 0), ["sm_89"])


def test_the_wheel_of_this_environment_is_the_one_that_is_written_down():
    build = tf.sysconfig.get_build_info()
    if not build["is_cuda_build"]:
        pytest.skip("this TensorFlow is built without CUDA")
    assert tuple(build["cuda_compute_capabilities"]) == nvidia.WHEEL


@pytest.mark.parametrize(
    ("value", "is_hidden"),
    [
        (None, False),
        ("0", False),
        (" 1,0", False),
        ("GPU-8932f937", False),
        ("", True),
        ("-1", True),
        ("NoDevFiles", True),
    ],
)
def test_the_environment_may_ask_for_the_cpu(monkeypatch, value, is_hidden):
    if value is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert nvidia.is_hidden() == is_hidden


def test_a_card_is_here_where_its_device_file_is(tmp_path):
    (tmp_path / "nvidiactl").touch()
    assert not nvidia.is_here(str(tmp_path))
    (tmp_path / "nvidia0").touch()
    assert nvidia.is_here(str(tmp_path))
    (tmp_path / "wsl").mkdir()
    (tmp_path / "wsl/dxg").touch()
    assert nvidia.is_here(str(tmp_path / "wsl"))


def test_libraries_are_those_that_tensorflow_names(monkeypatch):
    monkeypatch.setattr(nvidia, "_is_installed", lambda name: False)
    missing = nvidia.missing_libraries()
    assert {"nvidia-cudnn-cu12", "nvidia-nccl-cu12"} <= set(missing)
    assert all(name.startswith("nvidia-") for name in missing)
    monkeypatch.setattr(nvidia, "_is_installed", lambda name: True)
    assert nvidia.missing_libraries() == []


@pytest.mark.parametrize(
    ("kinds", "status", "said"),
    [
        ([H100], 0, "H100 80GB HBM3, 80 GiB (driver 550.54.15)\n"),
        ([], 1, ""),
        ([RTX_5090], 1, ""),
        ([RTX_5090, A100, GTX_980], 0, "A100-SXM4-40GB, 40 GiB (driver"),
    ],
)
def test_as_a_program_it_prints_the_cards_to_install_for(
    install, monkeypatch, kinds, status, said
):
    install(*(card(kind, number=i) for i, kind in enumerate(kinds)))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    done = subprocess.run(
        [sys.executable, "-I", project.ROOT / "training/nvidia.py"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == status
    assert said in done.stdout
    assert done.stdout.count("NVIDIA") == (status == 0)
    assert ("RTX 5090, 32 GiB is left out" in done.stderr) == (
        RTX_5090 in kinds
    )
