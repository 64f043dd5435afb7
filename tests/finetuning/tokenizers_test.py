"""Rows of tasks with other tokenizers: laid out and placed as theirs are."""

import numpy as np
import pytest

from finetuning.classification import rows
from finetuning.question_answering import examples, windows
from finetuning.tagging import conll
from finetuning.tagging import tokenization as tagging
from finetuning.tagging import windows as tagging_windows
from tests import albert_text, project, roberta_text
from text import offsets, sentence_piece, tokenization, vocabularies
from text.config import VocabularySettings

TEXTS = (
    ("It rained all day, unbelievably.", "Was it dry?"),
    ("今天天气很好，我们去公园散步。", "天气怎么样？"),
    ("one text alone", None),
    ("", "nothing before"),
)


class SentencePiece:
    def __init__(self, directory):
        data = albert_text.sample_model()
        self.vocabulary = sentence_piece.parse(data, "spiece.model")
        self.do_lower_case = True
        self._plain = albert_text.FullTokenizer(data)
        self.special = "[CLS]", ["[SEP]"], 1

    def ids(self, text):
        return self._plain.ids(text)


class BytePairs:
    def __init__(self, directory):
        self.folder = roberta_text.write_model(directory)
        self.vocabulary = vocabularies.load(
            VocabularySettings(tokenizer=self.folder)
        )
        self.do_lower_case = False
        self._plain = roberta_text.plain(self.folder)
        self.special = "<s>", ["</s>", "</s>"], 0

    def ids(self, text):
        return self._plain.encode(text).ids


@pytest.fixture(scope="module", params=[SentencePiece, BytePairs])
def kind(request, tmp_path_factory):
    return request.param(tmp_path_factory.mktemp("tokenizer"))


def make_rows(kind, pairs, max_seq_length, truncation="head"):
    return rows.make(
        pairs,
        tokenization.Tokenizer(kind.vocabulary, kind.do_lower_case),
        kind.vocabulary,
        max_seq_length=max_seq_length,
        truncation=truncation,
    )


def by_hand(kind, first, second):
    """(ids, segments) of a pair, of lists of ids."""
    cls, between, segment = kind.special
    names = kind.vocabulary.ids
    sep = [names[name] for name in between]
    if not second:
        return [names[cls], *first, sep[0]], [0] * (len(first) + 2)
    ids = [names[cls], *first, *sep, *second, sep[0]]
    begin = 1 + len(first) + len(sep)
    return ids, [0] * begin + [segment] * (len(ids) - begin)


def test_pairs_are_laid_out_as_the_model_has_them(kind):
    made = make_rows(kind, TEXTS, 80)
    for number, (first, second) in enumerate(TEXTS):
        ids, segments = by_hand(kind, kind.ids(first), kind.ids(second or ""))
        padding = 80 - len(ids)
        pad = kind.vocabulary.padding_id
        assert made["input_ids"][number].tolist() == ids + [pad] * padding
        assert made["segment_ids"][number].tolist() == segments + [0] * padding
        assert made["input_mask"][number].sum() == len(ids)


@pytest.mark.parametrize("length", [5, 8, 11, 16])
def test_long_pairs_are_cut_to_fill_the_row(kind, length):
    made = make_rows(kind, TEXTS[:2], length)
    for number, (first, second) in enumerate(TEXTS[:2]):
        first, second = kind.ids(first), kind.ids(second)
        while len(by_hand(kind, first, second)[0]) > length:
            # The longer one loses its last token, or the second of equals.
            (first if len(first) > len(second) else second).pop()
        ids, segments = by_hand(kind, first, second)
        count = len(ids)
        assert made["input_ids"][number, :count].tolist() == ids
        assert made["input_mask"][number].sum() == count
        assert made["segment_ids"][number, :count].tolist() == segments


def test_pairs_are_those_of_transformers(kind):
    transformers = pytest.importorskip("transformers")
    if isinstance(kind, SentencePiece):
        pytest.skip("of transformers' ALBERT the pieces differ in quotes")
    plain = transformers.RobertaTokenizer.from_pretrained(kind.folder)
    made = make_rows(kind, TEXTS[:2], 80)
    for number, (first, second) in enumerate(TEXTS[:2]):
        wanted = plain(first, second, padding="max_length", max_length=80)
        assert made["input_ids"][number].tolist() == wanted["input_ids"]
        assert made["input_mask"][number].tolist() == wanted["attention_mask"]


QUESTIONS = (
    ("Who wrote it?", "The novel was written by Jane Austen in 1813.", "Jane "
     "Austen"),
    ("When?", "The novel was written by Jane Austen in 1813.", "1813"),
    ("谁写的？", "《红楼梦》的作者是曹雪芹，成书于清代。", "曹雪芹"),
    ("Where?", "Naïve cafés  in\u3000Zürich, ½ open.", "Zürich"),
)  # fmt: skip


def test_answers_are_found_in_their_windows(kind):
    asked = [
        examples.Example(
            str(n),
            question,
            text,
            (answer,),
            (text.index(answer), text.index(answer) + len(answer)),
        )
        for n, (question, text, answer) in enumerate(QUESTIONS)
    ]
    tokenizer = offsets.Tokenizer(kind.vocabulary, kind.do_lower_case)
    lies = windows.make(
        asked, tokenizer, max_seq_length=64, doc_stride=16, max_query_length=16
    )
    made = windows.make_rows(lies, asked, kind.vocabulary, 64)
    num_found = 0
    for row, owner in enumerate(lies.owner):
        question, text, answer = QUESTIONS[owner]
        begin, count = lies.begins[row], lies.lengths[row]
        part = kind.ids(text)[begin : begin + count]
        ids, segments = by_hand(kind, kind.ids(question), part)
        assert made["input_ids"][row, : len(ids)].tolist() == ids
        assert made["segment_ids"][row, : len(ids)].tolist() == segments
        assert made["input_mask"][row].sum() == len(ids)
        first, last = made["start_positions"][row], made["end_positions"][row]
        if not first:
            continue
        num_found += 1
        offset = lies.first[owner] + begin - lies.places[row]
        place = lies.context.begins[first + offset]
        end = lies.context.ends[last + offset]
        # A token may have more of the text than the answer, never less.
        assert answer in text[place:end]
        assert len(text[place:end]) < len(answer) + 8
    assert num_found >= len(QUESTIONS)


def test_a_text_that_has_no_room_is_refused_in_a_line(kind):
    tokenizer = offsets.Tokenizer(kind.vocabulary, kind.do_lower_case)
    asked = [examples.Example("0", "who " * 9, "a text")]
    with pytest.raises(ValueError, match="--max_seq_length=9 has no room"):
        windows.make(
            asked, tokenizer, max_seq_length=9, doc_stride=2, max_query_length=6
        )


SENTENCES = (
    ["John", "lives", "in", "New", "York", "."],
    ["今", "天", "天", "气", "很", "好"],
    ["play", "中", "国", "队", "unbelievably", "2,000", "\u200b", "x"],
)


def sentence_of(words):
    text, starts = conll.join(words)
    return conll.Sentence(tuple(words), None, text, starts, "x", 1)


def test_each_word_has_its_tokens(kind):
    sentences = [sentence_of(words) for words in SENTENCES]
    tokenizer = tagging.WordTokenizer(kind.vocabulary, kind.do_lower_case)
    found = list(tokenizer.tokenize(sentences))
    assert [len(words) for words in found] == [len(x) for x in SENTENCES]
    for sentence, words in zip(sentences, found, strict=True):
        for word, ids in zip(sentence.words, words, strict=True):
            assert ids or not word.isprintable()
    # Words with spaces between them have the very tokens of their text.
    flat = [i for word in found[0] for i in word]
    assert flat == kind.ids(sentences[0].text)
    made = tagging_windows.make_rows(
        sentences,
        tokenizer,
        kind.vocabulary,
        max_seq_length=40,
        overlap=4,
        numbers={},
    )
    assert made["label_weights"].sum() == sum(map(len, SENTENCES))
    assert not made["segment_ids"].any()
    ends = made["input_mask"].sum(axis=1)
    names = kind.vocabulary.rows
    for row, end in enumerate(ends):
        assert names[made["input_ids"][row, 0]] == kind.special[0]
        assert names[made["input_ids"][row, end - 1]] == kind.special[1][0]
        behind = made["input_ids"][row, end:]
        assert np.all(behind == kind.vocabulary.padding_id)


def test_words_without_spaces_share_no_token(kind):
    (found,) = tagging.WordTokenizer(
        kind.vocabulary, kind.do_lower_case
    ).tokenize([sentence_of(list("我们在中国北京大学学习人工智能"))])
    assert all(found)
    rows_of = [kind.vocabulary.rows[i] for ids in found for i in ids]
    assert "▁" not in rows_of[1:]


def test_a_tokenizer_of_the_samples_reads_every_line(kind):
    lines = project.sample_lines()[::25]
    made = make_rows(kind, [(line, None) for line in lines], 32)
    assert (made["input_ids"][:, 0] == kind.vocabulary.roles.cls).all()
