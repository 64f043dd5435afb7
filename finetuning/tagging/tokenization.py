"""Words of sentences -> token ids, each word on its own."""

import dataclasses
from collections.abc import Iterator, Sequence

from finetuning.tagging.sentences import Sentence
from text import t2s, tokenization
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
        self._convert = simplified if simplify else list
        self._tokenizer = tokenization.Tokenizer(vocabulary, do_lower_case)

    def tokenize(
        self, sentences: Sequence[Sentence]
    ) -> Iterator[list[list[int]]]:
        """Yields, for each sentence, the list of ids of each word.

        A word of which BERT's cleaning leaves nothing has no ids.
        """
        sentences = self._convert(sentences)
        words = "\n".join(word for x in sentences for word in x.words)
        ids, starts = self._tokenizer.tokenize(words)
        ids, line = ids.tolist(), 0
        for sentence in sentences:
            last = line + len(sentence.words)
            yield [ids[starts[n] : starts[n + 1]] for n in range(line, last)]
            line = last


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
