"""A TPU slice of several hosts on this machine, and programs that train on it.

python -m tests.slice_program host PORT NUM_DEVICES
python -m tests.slice_program run NUM_REPLICAS PROGRAM.py --tpu_name=NAME ...

The first is a host, with virtual CPU devices for cores. The second is a program
of the project as it is: it looks the TPU up, connects to its hosts, trains on
them. TensorFlow has no TPU for tests: its start is left out, and a
`MirroredStrategy` over the same devices stands for `TPUStrategy`. As that does,
it has one input pipeline a host, and all that is computed runs there.
"""

import runpy
import sys

import tensorflow as tf

from tests import project
from training import strategy


def _serve(port, num_devices):
    # A cluster of itself alone, as start_grpc_tpu_worker of tensorflow-tpu is.
    server = tf.distribute.Server(
        {"tpu_worker": [f"localhost:{port}"]},
        config=tf.compat.v1.ConfigProto(device_count={"CPU": num_devices}),
    )
    print("ready", flush=True)
    server.join()


class _Slice(tf.distribute.MirroredStrategy):
    """What `TPUStrategy` is to a run, on the CPUs of the cluster's hosts."""

    def __init__(self, resolver):
        super().__init__(["CPU:0"], tf.distribute.ReductionToOneDevice())
        # By way of its constructor, TensorFlow forbids it in eager mode.
        self.extended._initialize_multi_worker(
            [
                device.name
                for device in tf.config.list_logical_devices("CPU")
                if "/job:worker/" in device.name
            ]
        )
        self._resolver = resolver

    @property
    def cluster_resolver(self):
        return self._resolver


def _run(num_replicas, program, flags):
    create, of_tensorflow = strategy.create, tf.distribute.TPUStrategy

    def create_slice(settings):
        tf.distribute.TPUStrategy = _Slice
        tf.tpu.experimental.initialize_tpu_system = lambda resolver: None
        devices = create(settings)
        tf.distribute.TPUStrategy = of_tensorflow
        assert devices.num_replicas_in_sync == num_replicas
        return devices

    strategy.create = create_slice
    sys.argv = [program, *flags]
    runpy.run_path(str(project.ROOT / program), run_name="__main__")


if __name__ == "__main__":
    if sys.argv[1] == "host":
        _serve(*map(int, sys.argv[2:]))
    else:
        _run(int(sys.argv[2]), sys.argv[3], sys.argv[4:])
