"""Models to convert, and what they must be like afterwards."""

import numpy as np

from interop import variables
from tests import tiny

LABELS = {"0": "差", "1": "中", "2": "good"}
ROWS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "中", "国", "a", "##b")


def bert(head="pretraining", **changes):
    """A tiny BERT; see `model`."""
    return model(tiny.config(**changes), head)


def model(config, head):
    """A model of wide weights, so that small errors are seen."""
    has_labels = head in variables.LABELLED
    num_labels = {"multiple_choice": 1}.get(head, 2)
    if has_labels:
        config = variables.with_extra(config, id2label=LABELS)
        num_labels = len(LABELS)
    rng = np.random.default_rng(7)
    return variables.PortableModel(
        config=config,
        head=head,
        values={
            name: rng.normal(
                1 if name.endswith("gamma") else 0, 0.2, shape
            ).astype(np.float32)
            for name, shape in variables.wanted(
                config, head, num_labels
            ).items()
        },
        tokenizer={"vocab.txt": vocabulary(config.vocab_size)},
    )


def vocabulary(num_rows):
    """The bytes of a vocab.txt of so many rows."""
    rows = [*ROWS, *(f"word{i}" for i in range(num_rows - len(ROWS)))]
    return "".join(f"{row}\n" for row in rows[:num_rows]).encode()


def assert_same(found, wanted, *, but=()):
    """Holds two models equal to the last bit, but for some tensors."""
    names = wanted.values.keys() - set(but)
    assert found.values.keys() == names
    for name in names:
        assert found.values[name].dtype == np.float32, name
        np.testing.assert_array_equal(found.values[name], wanted.values[name])
    assert found.head == wanted.head
    assert variables.labels(found.config) == variables.labels(wanted.config)
    assert found.tokenizer == wanted.tokenizer
    for name in tiny.CONFIG:
        assert getattr(found.config, name) == getattr(wanted.config, name)
