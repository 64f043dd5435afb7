"""A TPU that is not there is one clear error, and soon."""

import time

import pytest
import tensorflow as tf

from training import config, strategy


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"tpu_name": "grpc://127.0.0.1:1"}, "127.0.0.1:1.*refused"),
        ({"tpu_name": "grpc://127.0.0.1"}, "not of the form grpc://host:port"),
        ({"use_tpu": True}, "'local'"),
        ({"use_tpu": True, "master": "grpc://127.0.0.1:1"}, "127.0.0.1:1"),
    ],
)
def test_an_unreachable_tpu_is_named_within_seconds(arguments, words):
    started = time.monotonic()
    with pytest.raises(ConnectionError, match=words) as raised:
        strategy.create(config.DeviceSettings(**arguments))
    assert time.monotonic() - started < 20
    assert "--tpu_name" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_one_cpu_is_the_default():
    devices = strategy.create()
    assert devices.num_replicas_in_sync == 1
    assert not isinstance(devices, tf.distribute.MirroredStrategy)
    assert strategy.is_chief(devices)
    assert strategy.describe(devices) == "1 CPU replica"
