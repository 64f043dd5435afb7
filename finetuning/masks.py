"""Words in the place of masks: texts -> rows -> the likeliest words.

    今天的天气很【？】          [CLS] 今 天 的 天 气 很 [MASK] [SEP]

A mask is written [MASK], <mask> or 【？】. Of a text that is too long, what is
around its masks is read.

Shapes: N texts, P masks of a text, T tokens, V vocabulary, K words.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from finetuning.task import FEATURES, Outputs, Rows
from interop.network import Network
from modeling.encoder import Encoded
from text.tokenization import Tokenizer
from text.vocab import Vocabulary

MOST_WORDS = 100
MOST_MASKS = 16
# Texts of like numbers of masks are computed together.
_NUMBERS_OF_MASKS = (1, 4, MOST_MASKS)
_MASK = re.compile(r"\[MASK\]|<mask>|【[？?]】")
_NOWHERE = -1
# A CPU adds up 8 rows and more in another order than fewer, where it normalises
# them, and 16 and more where it multiplies.
_LEAST_ROWS = 8


class MaskModel:
    """Finds the likeliest words, as `Predictor` takes it.

    The first masks of all texts are scored together, then the second ones, at
    least `_LEAST_ROWS` rows at once: to the last bit, a text's words do not
    depend on how many masks another has.

    Args:
        network: with a head of masked words.
        num_words: rows of the vocabulary; the model may have more.
    """

    per_token = False
    inputs = (*FEATURES, "positions")

    def __init__(self, network: Network, num_words: int):
        self._network = network
        self._num_words = num_words

    def predict(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Returns {"scores": float32, "ids": int32}, [N, P, K] each."""
        sequence = self._network.encode(
            *(batch[name] for name in FEATURES)
        ).sequence_output
        num_texts, num_tokens, width = tf.unstack(tf.shape(sequence))
        # All texts as one, [1, N * T, W], in which rows are chosen at will.
        joined = Encoded(tf.reshape(sequence, (1, -1, width)))
        starts = num_tokens * tf.range(num_texts)
        missing = tf.maximum(_LEAST_ROWS - num_texts, 0)
        count = min(MOST_WORDS, self._num_words)

        def likeliest(places: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            rows = tf.pad(starts + places, [[0, missing]])[None]
            logits = self._network.score_words(joined, rows)[0]
            shares = tf.nn.softmax(logits)[:num_texts, : self._num_words]
            scores, ids = tf.math.top_k(shares, count)
            return scores, ids

        scores, ids = (
            tf.transpose(x, (1, 0, 2))
            for x in tf.map_fn(
                likeliest,
                tf.transpose(tf.maximum(batch["positions"], 0)),
                fn_output_signature=(tf.float32, tf.int32),
            )
        )
        return {"scores": scores, "ids": ids}


def make_rows(
    texts: Sequence[str],
    tokenizer: Tokenizer,
    vocabulary: Vocabulary,
    max_seq_length: int,
) -> Rows:
    """Returns `FEATURES` and "positions", [N, P]: -1 where there is no mask.

    Raises:
        ValueError: a text has no mask, more than `MOST_MASKS`, or masks that
            are further apart than the model reads.
    """
    parts = [_MASK.split(text.replace("\n", " ")) for text in texts]
    num_masks = [len(of_text) - 1 for of_text in parts]
    for number, count in enumerate(num_masks):
        if not 1 <= count <= MOST_MASKS:
            raise ValueError(
                f"input {number} has {count} masks: wanted are 1 to "
                f"{MOST_MASKS}, written [MASK] or 【？】"
            )
    flat = [part for of_text in parts for part in of_text]
    ids, starts = tokenizer.tokenize("\n".join(flat))
    most = min(x for x in _NUMBERS_OF_MASKS if x >= max(num_masks))
    shape = (len(texts), max_seq_length)
    rows = {name: np.zeros(shape, np.int32) for name in FEATURES}
    rows["input_ids"] += vocabulary.padding_id
    rows["positions"] = np.full((len(texts), most), _NOWHERE, np.int32)
    roles, first = vocabulary.roles, 0
    for number, of_text in enumerate(parts):
        tokens: list[int] = []
        for place, part in enumerate(of_text, first):
            of_part = ids[starts[place] : starts[place + 1]].tolist()
            if place > first:
                tokens.append(roles.mask)
                if part[:1].strip():
                    of_part = vocabulary.without_space(of_part)
            tokens += of_part
        first += len(of_text)
        kept = _around_masks(tokens, roles.mask, max_seq_length - 2, number)
        row = np.array([roles.cls, *kept, roles.sep], np.int32)
        rows["input_ids"][number, : len(row)] = row
        rows["input_mask"][number, : len(row)] = 1
        found = np.flatnonzero(row == roles.mask)
        rows["positions"][number, : len(found)] = found
    return rows


def _around_masks(tokens, mask, room, number):
    places = [place for place, token in enumerate(tokens) if token == mask]
    span = places[-1] + 1 - places[0]
    if span > room:
        raise ValueError(
            f"input {number}: its masks are {span} tokens apart, more than the "
            f"{room} that the model reads"
        )
    # As much on both sides of the masks as there is.
    begin = min(places[0] - (room - span) // 2, len(tokens) - room)
    begin = max(begin, 0)
    return tokens[begin : begin + room]


def answers(
    texts: Sequence[str], outputs: Outputs, vocabulary: Vocabulary, top_k: int
) -> list[list[dict[str, Any]]]:
    """Returns the words for each mask of each text; see `Pretrained.fill`."""
    found = []
    for row, text in enumerate(texts):
        places = [match.start() for match in _MASK.finditer(text)]
        found.append(
            [
                {
                    "position": place,
                    "words": _words(outputs, row, number, vocabulary, top_k),
                }
                for number, place in enumerate(places)
            ]
        )
    return found


def _words(outputs, row, number, vocabulary, top_k):
    pairs = zip(
        outputs["ids"][row, number, :top_k].tolist(),
        outputs["scores"][row, number, :top_k].tolist(),
        strict=True,
    )
    return [
        {"token": vocabulary.readable[word], "score": score}
        for word, score in pairs
    ]
