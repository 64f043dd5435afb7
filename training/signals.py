"""Signals that ask a run to end: it saves first.

Cloud TPU announces maintenance and preemption of a TPU VM as SIGTERM, as batch
systems do when a job's time is up.
"""

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from absl import logging

# Of a process that saved and ended because it was asked to.
STATUS = 4

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopped(Exception):  # noqa: N818
    """The run was asked to end, and has saved; the same command goes on."""


class Stop:
    """Notices that the run is to end; a context manager.

    The first signal is noted, the second one ends the process at once. Outside
    of the main thread, where signals cannot be caught, none is.

    Args:
        strategy: its workers end together.
    """

    def __init__(self, strategy: Any):
        self.requested = False  # In this process.
        # In any worker's process, when they last agreed: the same in all.
        self.is_asked = False
        self._mean = _make_mean(strategy)

    def agree(self, value: float) -> float:
        """Returns the mean of a number over the workers; waits for them.

        They agree on `is_asked` by the way.
        """
        requested, value = self._mean([float(self.requested), value])
        self.is_asked = requested > 0
        return value

    def __enter__(self):
        self._is_on = threading.current_thread() is threading.main_thread()
        if not self._is_on:
            return self
        # Python runs a handler only once TensorFlow has returned from its
        # block of steps; bytes in a pipe arrive at once.
        self._ends = os.pipe()
        os.set_blocking(self._ends[1], False)
        self._old_fd = signal.set_wakeup_fd(self._ends[1])
        self._old = {s: signal.signal(s, lambda *_: None) for s in _SIGNALS}
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error):
        if not self._is_on:
            return
        for number, handler in self._old.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_fd)
        os.close(self._ends[1])
        self._thread.join()
        os.close(self._ends[0])

    def _watch(self):
        while byte := os.read(self._ends[0], 1):
            if byte[0] not in _SIGNALS:
                continue
            name = signal.Signals(byte[0]).name
            if self.requested:
                logging.warning("%s again: ending at once", name)
                os._exit(128 + byte[0])
            self.requested = True
            logging.warning(
                "%s: saving and ending after this block of steps; a second "
                "signal ends at once",
                name,
            )


def _make_mean(strategy: Any) -> Callable[[list[float]], list[float]]:
    """Returns a function of two numbers: their means over all workers."""
    # The builder of records, which is told of `Stopped`, has no TensorFlow.
    import tensorflow as tf

    resolver = strategy.cluster_resolver
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return list
    if len(resolver.cluster_spec().as_dict().get("worker", ())) < 2:
        return list

    @tf.function(input_signature=[tf.TensorSpec((2,))], autograph=False)
    def mean(numbers: Any) -> Any:
        def of_replica() -> Any:
            replica = tf.distribute.get_replica_context()
            # What is summed has to be on the device of the replica.
            return replica.all_reduce(
                tf.distribute.ReduceOp.MEAN, tf.identity(numbers)
            )

        return strategy.experimental_local_results(strategy.run(of_replica))[0]

    return lambda numbers: mean(tf.constant(numbers)).numpy().tolist()
