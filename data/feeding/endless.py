"""Makes batches without end ahead of the step that takes them."""

import tensorflow as tf


def ahead(batches: tf.data.Dataset) -> tf.data.Dataset:
    """Returns a dataset, which never ends, that is made ahead of the step."""
    options = tf.data.Options()
    # The tuner must not run: the end of an iterator would wait for it, up to a
    # minute.
    options.autotune.enabled = False
    # Several workers that do not know their data to be endless prepare for its
    # end, and lose the static shapes by it.
    endless = tf.data.experimental.assert_cardinality(
        tf.data.INFINITE_CARDINALITY
    )
    return (
        batches.apply(endless).prefetch(tf.data.AUTOTUNE).with_options(options)
    )
