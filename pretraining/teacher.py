"""A trained model that another one learns from and that stays as it is.

Its variables are in no checkpoint and no export, no gradient goes through it,
and it drops nothing.

Shapes: B batch, T tokens, R rows, W width, E embedding width, V vocabulary.
"""

import hashlib
import math
from collections.abc import Collection

import keras
import tensorflow as tf
from absl import logging

from interop import formats
from interop.variables import PortableModel
from modeling import families, heads
from modeling.config import BertConfig
from modeling.encoder import Encoded
from pretraining.config import PretrainingConfig
from pretraining.objective import encode
from pretraining.soft_targets import Scorer
from storage import tensors
from text import vocab
from text.vocab import Vocabulary
from training import precision
from training.objective import Batch


def read(
    config: PretrainingConfig, architecture: BertConfig, head: str
) -> PortableModel:
    """Reads the model of --teacher_dir and checks it against the student.

    Args:
        config: names it.
        architecture: of the student.
        head: what is learned from, "masked_lm", or "encoder" for no head.

    Raises:
        ValueError: it cannot be read, lacks the head, or reads other rows than
            the student; names the flag.
    """
    named = f"--teacher_dir={config.teacher_dir}"
    model = load(str(config.teacher_dir), head, config.max_seq_length)
    theirs = model.config
    if theirs.vocab_size != architecture.vocab_size:
        raise ValueError(
            f"{named} has vocab_size={theirs.vocab_size}, "
            f"{config.bert_config_file} {architecture.vocab_size}: teacher and "
            "student must have one vocabulary"
        )
    if theirs.is_decoder != architecture.is_decoder:
        raise ValueError(
            f"{named} has is_decoder={theirs.is_decoder}, "
            f"{config.bert_config_file} {architecture.is_decoder}: one of the "
            "two would read what the other does not see"
        )
    return model


def load(path: str, head: str, max_seq_length: int) -> PortableModel:
    """Reads a model that is to teach.

    Args:
        path: of --teacher_dir.
        head: "masked_lm", or "encoder" for no head.
        max_seq_length: of the rows that it is to read.

    Raises:
        ValueError: it cannot be read, lacks the head, has too few positions or
            broken weights; names the flag.
    """
    named = f"--teacher_dir={path}"
    # Of two encoders in one file the head says which, and no head the first.
    meant = head if head != "encoder" else None
    try:
        model = formats.read(path, head=meant)
    except ValueError as error:
        raise ValueError(f"{named}: {error}") from None
    positions = model.config.num_positions
    if positions < max_seq_length:
        raise ValueError(
            f"--max_seq_length={max_seq_length} is more than the {positions} "
            f"positions of {named}"
        )
    if not model.family.head_names(head) <= model.values.keys():
        raise ValueError(
            f"{named} has the head {model.head}, and what is learned from is a "
            "head of masked words"
        )
    bad = tensors.not_finite(model.values)
    if bad:
        raise ValueError(f"{named}: {tensors.describe_not_finite(bad)}")
    return model


class Teacher:
    """The encoder of a model and, if it has it, its head of masked words.

    Create it in the strategy's scope.

    Args:
        path: where it is from, for errors.
        model: from `read`.
        mixed_precision: a name in `precision.POLICIES`.
    """

    def __init__(self, path: str, model: PortableModel, mixed_precision: str):
        policy = precision.POLICIES[mixed_precision]
        self.path = path
        self.config = model.config
        self.family = model.family
        self._files = dict(model.tokenizer)
        self.encoder = families.make_encoder(
            model.config, "zeros", has_pooler=False, dtype=policy
        )
        layers: list[keras.layers.Layer] = [self.encoder]
        self.head = None
        if self.family.head_names("masked_lm") <= model.values.keys():
            self.head = heads.MaskedLmHead(
                model.config, "zeros", dtype=policy, name="predictions"
            )
            with keras.name_scope("cls"):
                self.head.build((None, None, model.config.hidden_size))
            layers.append(self.head)
        self._variables = [
            variable
            for layer in layers
            for variable in layer.weights
            if variable.path in model.values
        ]
        for variable in self._variables:
            variable.assign(model.values[variable.path])
        for layer in layers:
            layer.trainable = False
        logging.info("teacher: %s", self.describe())

    def describe(self) -> str:
        """Says for the log what it is."""
        size = sum(math.prod(variable.shape) for variable in self._variables)
        return (
            f"{self.family.title}, {self.config.num_hidden_layers} layers of "
            f"width {self.config.hidden_size}, {size:,} parameters"
        )

    def encode(self, batch: Batch) -> Encoded:
        """Returns what it makes of a batch, as constants."""
        encoded = encode(self.encoder, batch)
        return tf.nest.map_structure(
            lambda x: x if x is None else tf.stop_gradient(x), encoded
        )

    def scorer(self, rows: tf.Tensor) -> Scorer:
        """Returns what scores words at rows [R, W] of the last layer."""
        assert self.head is not None
        return Scorer.of(self.head, rows, self.encoder.word_embeddings)

    def check_vocabulary(
        self,
        student: BertConfig,
        ours: Vocabulary | None,
        hashes: Collection[str],
    ) -> None:
        """Refuses a teacher that reads other words in the records' ids.

        Where no file says which vocabulary one of the two has, they must be of
        families whose rows begin alike.

        Args:
            student: its shape.
            ours: the vocabulary of the records, if it was found.
            hashes: of the vocabularies that the records were built with.

        Raises:
            ValueError: it has another one; names the flag.
        """
        named = f"--teacher_dir={self.path}"
        known = {*hashes} | ({ours.sha256} if ours else set())
        if not self._files or not known:
            if self.config.first_position != student.first_position:
                raise ValueError(
                    f"{named} is of the family {self.config.model_type}, the "
                    f"student of {student.model_type}: their tokenizers are of "
                    "two kinds, and no file beside the teacher, or beside the "
                    "records, says that these two have one vocabulary"
                )
            return
        theirs = hashlib.sha256(b"\0".join(self._files.values())).hexdigest()
        if known == {theirs} or self._has_rows_of(ours):
            return
        raise ValueError(
            f"{named}: its {' and '.join(self._files)} has the sha256 {theirs},"
            f" the records were built with {', '.join(sorted(known))}: teacher "
            "and student must have one vocabulary"
        )

    def _has_rows_of(self, ours: Vocabulary | None) -> bool:
        """Whether files that differ in their line ends have the same rows."""
        if not ours or vocab.FILE not in self._files:
            return False
        theirs = vocab.parse(self._files[vocab.FILE], self.path)
        return theirs.rows == ours.rows
