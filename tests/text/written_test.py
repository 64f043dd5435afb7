"""Tokens are written as the libraries write them."""

import pytest

from tests import albert_text, project, roberta_text
from text import tokenization, vocab, vocabularies, written


def test_sentence_pieces_are_those_of_the_library(tmp_path):
    sentencepiece = pytest.importorskip("sentencepiece")
    path = albert_text.write_model(tmp_path)
    library = sentencepiece.SentencePieceProcessor(model_file=path)
    vocabulary = vocabularies.read(path)
    for line in project.sample_lines():
        ids = library.encode(albert_text.preprocess(line))
        if vocabulary.roles.unk not in ids:  # Theirs has a sign of its own.
            assert written.text_of(ids, vocabulary) == library.decode(ids)


def test_byte_pairs_are_those_of_the_library(tmp_path):
    folder = roberta_text.write_model(tmp_path)
    vocabulary = vocabularies.read(vocabularies.find_in(folder))
    library = roberta_text.plain(folder)
    for line in project.sample_lines():
        ids = library.encode(line).ids
        assert written.text_of(ids, vocabulary) == line.strip()
        for one in ids[:5]:
            wanted = library.decode([one]).strip()
            assert written.text_of([one], vocabulary) == wanted


def test_word_pieces_are_put_together(tmp_path):
    rows = project.sample_vocabulary()
    vocabulary = vocab.load(project.write_vocabulary(tmp_path, rows))
    tokenizer = tokenization.Tokenizer(vocabulary)
    for line in ("the quick fox 中国人 of the house", "中 the"):
        ids, _ = tokenizer.tokenize(line)
        assert vocabulary.roles.unk not in ids
        assert written.text_of(ids, vocabulary).replace(
            " ", ""
        ) == line.replace(" ", "")
