"""What a model of masked words would put in the place of a word.

As in TinyBERT's data_augmentation.py the word is masked in a text beside which
the text stands as it was, so that the model knows what was meant:

    [CLS] the [MASK] was long [SEP] the film was long [SEP]

Of a text that is too long for that, what is around the word is read.

Shapes: B words, T tokens, C tokens of a word, V vocabulary, K candidates.
"""

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from interop import formats, look, tokenizer_files
from interop.network import Network
from modeling import families
from text import offsets, vocabularies
from text.normalization import is_chinese
from text.vocab import Vocabulary
from tools.augmentation import Found, Word

if TYPE_CHECKING:
    from tools.augment import AugmentConfig

# Longer Chinese words are names and idioms.
_MOST_TOKENS = 4
_MULTIPLE = 16


class MaskedWords:
    """A pretrained model with a head of masked words.

    Args:
        config: names the model and its vocabulary.

    Raises:
        ValueError: the model cannot be read, or has no such head.
    """

    def __init__(self, config: "AugmentConfig"):
        path = config.init_checkpoint
        assert path is not None
        model = formats.read(
            path,
            config_file=config.bert_config_file,
            tokenizer=tokenizer_files.of_flags(config),
        )
        self._vocabulary = _vocabulary(config, path)
        family = families.FAMILIES[model.config.model_type]
        is_masked_lm = model.head == "masked_lm" or (
            model.head == "pretraining" and not family.discriminator
        )
        if not is_masked_lm or not self._vocabulary.has_words_alone:
            raise ValueError(
                f"--init_checkpoint={path}: wanted is a head of masked words "
                f"and a WordPiece vocabulary; it has the head {model.head} and "
                f"a vocabulary of the kind {self._vocabulary.kind}"
            )
        look.check_length(
            path, config.max_seq_length, model.config.num_positions
        )
        self._config = config
        self._network = Network(model)
        self._tokenizer = offsets.Tokenizer(
            self._vocabulary, config.do_lower_case
        )
        self._is_word = _scripts(self._vocabulary, model.config.vocab_size)
        self._best = tf.function(
            self._find_best,
            input_signature=[tf.TensorSpec([None, None], tf.int32)] * 4
            + [tf.TensorSpec([None], tf.int32)],
        )

    def candidates(self, texts: Sequence[str], words: Sequence[Word]) -> Found:
        """Returns the likeliest words for each; see `Candidates`."""
        tokens = self._tokenizer.tokenize(texts)
        asked = list(_ask(tokens, texts, words))
        lengths = np.diff(tokens.starts)
        order = sorted(
            range(len(asked)), key=lambda n: lengths[asked[n][0].text]
        )
        found = {}
        for begin in range(0, len(order), self._config.batch_size):
            chosen = [
                asked[n] for n in order[begin : begin + self._config.batch_size]
            ]
            rows = [self._row(tokens, *one) for one in chosen]
            scores, ids = self._compute(rows, [x[3] for x in chosen])
            for (word, _, length, _), *best in zip(
                chosen, scores, ids, strict=True
            ):
                found[word] = self._join(length, *best)
        return found

    def _row(self, tokens, word, first, length, _):
        """Returns (ids of each half, the first masked position, how many)."""
        begin, end = tokens.starts[word.text], tokens.starts[word.text + 1]
        special = self._vocabulary.layout.num_special(True)
        room = (self._config.max_seq_length - special) // 2
        # As much on both sides of the word as there is.
        first_kept = max(begin, min(first - (room - length) // 2, end - room))
        ids = tokens.ids[first_kept : min(end, first_kept + room)].tolist()
        roles = self._vocabulary.roles
        place = first - first_kept
        masked = list(ids)
        masked[place : place + length] = [roles.mask] * length
        separators = [roles.sep] * self._vocabulary.layout.num_between
        head = [roles.cls, *masked, *separators]
        return head, [*ids, roles.sep], 1 + place, length

    def _compute(self, rows, scripts):
        longest = max(len(head) + len(tail) for head, tail, *_ in rows)
        width = -(-longest // _MULTIPLE) * _MULTIPLE
        shape = (len(rows), min(width, self._config.max_seq_length))
        input_ids = np.full(shape, self._vocabulary.padding_id, np.int32)
        input_mask, segment_ids = (np.zeros(shape, np.int32) for _ in "ab")
        positions = np.zeros((len(rows), _MOST_TOKENS), np.int32)
        second = self._vocabulary.layout.second_segment
        for row, (head, tail, place, length) in enumerate(rows):
            end = len(head) + len(tail)
            input_ids[row, :end] = head + tail
            input_mask[row, :end] = 1
            segment_ids[row, len(head) : end] = second
            positions[row, :length] = np.arange(place, place + length)
        found = self._best(
            input_ids, input_mask, segment_ids, positions, np.array(scripts)
        )
        return [x.numpy() for x in found]

    def _find_best(
        self,
        input_ids: Any,
        input_mask: Any,
        segment_ids: Any,
        positions: Any,
        scripts: Any,
    ) -> tuple[Any, Any]:
        """Returns (log probabilities, ids) of the likeliest, [B, C, K] each."""
        logits = self._network.score_masked(
            input_ids, input_mask, segment_ids, positions
        )
        is_word = tf.gather(tf.constant(self._is_word), scripts)[:, None]
        logits = tf.nn.log_softmax(tf.where(is_word, logits, -1e9))
        # One more, as the word itself is no candidate.
        count = min(self._config.num_candidates + 1, logits.shape[-1])
        return tf.math.top_k(logits, count)

    def _join(self, length, scores, ids):
        """Returns the likeliest words of tokens that are likely by themselves.

        Args:
            length: how many tokens the word has.
            scores, ids: [C, K] of it.
        """
        rows = self._vocabulary.rows
        best = [(0.0, "")]
        for position in range(length):
            longer = (
                (score + float(other), text + rows[token])
                for score, text in best
                for other, token in zip(
                    scores[position], ids[position], strict=True
                )
                if other > -1e8
            )
            best = sorted(longer, key=lambda x: (-x[0], x[1]))[: len(ids[0])]
        return [text for _, text in best]


def _vocabulary(config, path) -> Vocabulary:
    if config.vocabulary_path:
        return vocabularies.load(config)
    folder = path if tf.io.gfile.isdir(path) else os.path.dirname(path)
    found = vocabularies.find_in(folder)
    if found is None:
        raise ValueError(
            f"--init_checkpoint={path} has no vocabulary beside it: set "
            "--vocab_file"
        )
    return vocabularies.read(found)


def _scripts(vocabulary, vocab_size):
    """Returns which rows are words in [Latin letters, Chinese], bool [2, V]."""
    found = np.zeros((2, vocab_size), bool)
    special = set(vocabulary.special_ids.tolist())
    for number, row in enumerate(vocabulary.rows):
        if number not in special:
            found[0, number] = row.isascii() and row.isalpha()
            found[1, number] = len(row) == 1 and is_chinese(row)
    return found


def _ask(tokens, texts, words) -> Iterator[tuple[Word, int, int, int]]:
    """Yields (word, its first token, how many there are, its script).

    A word of Latin letters that is several tokens is left out, and so is one
    of which the text's tokens do not begin and end with it.
    """
    for word in words:
        first, last = tokens.starts[word.text], tokens.starts[word.text + 1]
        begins, ends = tokens.begins[first:last], tokens.ends[first:last]
        begin = np.searchsorted(begins, word.begin)
        end = np.searchsorted(ends, word.end, side="right")
        length = int(end - begin)
        is_whole = (
            length > 0
            and begins[begin] == word.begin
            and ends[end - 1] == word.end
        )
        script = int(is_chinese(texts[word.text][word.begin]))
        if is_whole and length <= (_MOST_TOKENS if script else 1):
            yield word, int(first + begin), length, script
