"""Words of sentences -> token ids.

Where a word has the tokens by itself that it has in a text, as with WordPiece,
each is tokenized on its own. Else the text of a sentence is, and a token goes
to the word that it begins in; words that share a token have those of each by
itself:

    text        "play 中国队"    words  play 中 国 队
    tokens      ▁play ▁ 中国 队
    of words    [▁play] [中] [国] [队]
"""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from finetuning.tagging.sentences import Sentence
from text import offsets, t2s, tokenization
from text.vocab import Vocabulary


class WordTokenizer:
    """Turns the words of sentences into ids.

    Args:
        vocabulary: of the model.
        do_lower_case: whether the model is uncased; accents go with case.
        simplify: whether traditional Chinese is made simplified before.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        do_lower_case: bool = True,
        simplify: bool = False,
    ):
        self._vocabulary = vocabulary
        self._convert = simplified if simplify else list
        self._tokenizer = tokenization.Tokenizer(vocabulary, do_lower_case)
        if not vocabulary.has_words_alone:
            self._in_text = offsets.Tokenizer(vocabulary, do_lower_case)

    def tokenize(
        self, sentences: Sequence[Sentence]
    ) -> Iterator[list[list[int]]]:
        """Yields, for each sentence, the list of ids of each word.

        A word of which the model's cleaning leaves nothing has no ids.
        """
        sentences = self._convert(sentences)
        if self._vocabulary.has_words_alone:
            return self._alone(sentences)
        return self._of_texts(sentences)

    def _alone(self, sentences):
        words = "\n".join(word for x in sentences for word in x.words)
        ids, starts = self._tokenizer.tokenize(words)
        ids, line = ids.tolist(), 0
        for sentence in sentences:
            last = line + len(sentence.words)
            yield [ids[starts[n] : starts[n + 1]] for n in range(line, last)]
            line = last

    def _of_texts(self, sentences):
        found = self._in_text.tokenize([x.text for x in sentences])
        alone = self._alone(sentences)
        for sentence, of_words, (first, last) in zip(
            sentences,
            alone,
            zip(found.starts, found.starts[1:], strict=False),
            strict=True,
        ):
            begins, ends = found.begins[first:last], found.ends[first:last]
            owners = _words_at(sentence, begins)
            # The word that has the last character; a space alone has none.
            lasts = _words_at(sentence, np.maximum(ends - 1, begins))
            words: list[list[int]] = [[] for _ in sentence.words]
            for token, owner in zip(
                found.ids[first:last].tolist(), owners.tolist(), strict=True
            ):
                if owner < len(words):
                    words[owner].append(token)
            shared = owners < lasts
            for begin, end in zip(owners[shared], lasts[shared], strict=True):
                for word in range(begin, min(end + 1, len(words))):
                    words[word] = self._vocabulary.without_space(of_words[word])
            yield words


def _words_at(sentence, places):
    """The word that each place is in, or before; their number behind all."""
    starts = np.array(sentence.starts, np.int64)
    lengths = np.array([len(word) for word in sentence.words], np.int64)
    return np.searchsorted(starts + lengths, places, "right")


def simplified(sentences: Sequence[Sentence]) -> list[Sentence]:
    """Returns the sentences with their words in simplified Chinese.

    Whole texts are converted, as the words around a word decide on it: 乾
    alone becomes 干, but 乾隆 stays.
    """
    texts = "\n".join(sentence.text for sentence in sentences)
    return [
        dataclasses.replace(
            sentence,
            words=tuple(
                text[begin : begin + len(word)]
                for begin, word in zip(
                    sentence.starts, sentence.words, strict=True
                )
            ),
        )
        for sentence, text in zip(
            sentences,
            t2s.to_simplified_in_place(texts).split("\n"),
            strict=True,
        )
    ]
