"""Batches without end, made ahead of the step that takes them."""

import tensorflow as tf


def ahead(batches):
    """Returns a dataset, which never ends, that is made ahead of the step."""
    options = tf.data.Options()
    # With it the end of an iterator waits, up to a minute, for the tuner.
    options.autotune.enabled = False
    # Several workers that do not know their data to be endless prepare for its
    # end, and lose the static shapes by it.
    endless = tf.data.experimental.assert_cardinality(
        tf.data.INFINITE_CARDINALITY
    )
    return (
        batches.apply(endless).prefetch(tf.data.AUTOTUNE).with_options(options)
    )
