"""The characters that make words [UNK] are those that a plain search finds."""

import collections
import random

import numpy as np

from tests import project
from tests.google_tokenization import basic_tokens
from text import tokenization, vocab, wordpiece

CHARACTERS = "天地海船ABab日éß𠮷😀\u0301, \n\n"


def stuck_at(word, rows):
    """The character with which no piece begins, looked for plainly."""
    begin = 0
    while begin < len(word):
        prefix = "##" if begin else ""
        ends = range(len(word), begin, -1)
        end = next((x for x in ends if prefix + word[begin:x] in rows), None)
        if end is None:
            return word[begin]
        begin = end
    return None


def counted(tokenizer, texts, with_words=False):
    """{character: number} and the number of [UNK] of texts one by one."""
    counts = np.zeros(wordpiece.NUM_CODES, np.int64)
    tokenize = tokenizer.tokenize_words if with_words else tokenizer.tokenize
    ids = [tokenize(text, counts)[0] for text in texts]
    codes = np.flatnonzero(counts)
    found = {chr(code): int(counts[code]) for code in codes}
    return found, np.concatenate(ids)


def test_each_unk_is_one_character_that_no_piece_begins_with(tmp_path):
    rows = ["天", "地", "a", "ab", "##a", "##b", "bab", ",", "##日"]
    vocabulary = vocab.load(project.write_vocabulary(tmp_path, rows))
    rng = random.Random(5)
    texts = [
        "".join(rng.choices(CHARACTERS, k=rng.randint(0, 60)))
        for _ in range(300)
    ]
    wanted = collections.Counter(
        stuck_at(word, rows)
        for text in texts
        for word in basic_tokens(text, do_lower_case=True)
    )
    del wanted[None]
    assert len(wanted) > 5
    for with_words in (False, True):
        found, ids = counted(
            tokenization.Tokenizer(vocabulary), texts, with_words
        )
        assert found == wanted
        num_unk = int((ids == vocabulary.roles.unk).sum())
        assert sum(found.values()) == num_unk


def test_a_word_that_is_too_long_has_no_character_to_blame(tmp_path):
    rows = ["a", "##a"]
    vocabulary = vocab.load(project.write_vocabulary(tmp_path, rows))
    tokenizer = tokenization.Tokenizer(vocabulary)
    longest = wordpiece.MAX_WORD_CHARACTERS
    found, ids = counted(tokenizer, ["a" * (longest + 1), "a" * longest, "b"])
    assert found == {"b": 1}
    assert (ids == vocabulary.roles.unk).sum() == 2


def test_counting_changes_no_id(tmp_path):
    rows = project.sample_vocabulary()[::2]
    vocabulary = vocab.load(project.write_vocabulary(tmp_path, rows))
    tokenizer = tokenization.Tokenizer(vocabulary)
    text = "\n".join(project.sample_lines())
    found, ids = counted(tokenizer, [text])
    assert (ids == tokenizer.tokenize(text)[0]).all()
    assert sum(found.values()) == (ids == vocabulary.roles.unk).sum() > 1000
