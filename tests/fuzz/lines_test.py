"""Questions, sentences and lines to answer, nearly right.

Held of each: it reads the input or refuses it with an error that names the
file, comes to an end, and loses nothing without a word: rows that it read and
rows that it said it left out are all there are. What was read can be made into
rows of tokens.
"""

import json
import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data.building import similar_words
from finetuning import answering, features
from finetuning.question_answering import config as question_config
from finetuning.question_answering import task as question_answering
from finetuning.tagging import config as tagging_config
from finetuning.tagging import task as tagging
from tests.data import built
from tests.finetuning.question_answering import squads
from tests.fuzz import held, near, tasks
from tests.fuzz.held import examples, put
from text import vocab
from tools import predict

pytestmark = pytest.mark.slow
folder = tasks.folder

NUM_QUESTIONS = 300
NUM_SENTENCES = 250
NUM_CLUENER = 250
NUM_LINES = 200
NUM_SIMILAR_WORDS = 100


_QUESTIONS = squads.data_of(
    (
        "中国 a b. 中国",
        [
            squads.entry(1, "a?", ("中国", 0)),
            squads.entry(2, "b?", ("b", 5), ("a", 3), is_impossible=False),
            {"id": 3, "question": "c", "answers": [], "is_impossible": True},
        ],
    )
)


def _num_questions(content):
    found = json.loads(content.decode("utf-8-sig"))
    return sum(
        len(paragraph["qas"])
        for article in found["data"]
        for paragraph in article["paragraphs"]
    )


@examples(NUM_QUESTIONS)
@given(
    near.json_bytes(_QUESTIONS),
    st.booleans(),
    st.sampled_from(("train", "predict", "any")),
)
def test_questions(folder, content, version_2, split):
    path = put(folder, "squad.json", content)
    made = question_answering.QuestionAnswering(
        tasks.make_config(
            question_config.QuestionAnsweringConfig,
            folder,
            train_file=path,
            predict_file=path,
            version_2_with_negative=version_2,
            max_query_length=4,
            doc_stride=3,
        )
    )
    if split == "any":
        held.read(lambda: made.examples_of_file(path), path)
        return
    found = tasks.read(made, split, path)
    if split == "train":
        tasks.check_whole(found, 0 if found.error else _num_questions(content))
    elif not found.error:
        # A question without a text is told of, and kept.
        num_questions = _num_questions(content)
        assert len(found.value) <= num_questions
        assert len(found.value) + found.num_left_out >= num_questions


def _tagging(folder, **flags):
    flags |= {"window_overlap": 4}
    return tagging.Tagging(
        tasks.make_config(tagging_config.TaggingConfig, folder, **flags)
    )


_SENTENCES = (
    "# id 1\na B-PER\nb I-PER\n. O\n\n中 B-LOC\n国 I-LOC\n\n-DOCSTART- O\n"
)


@examples(NUM_SENTENCES)
@given(
    near.files_of(3 * _SENTENCES.encode()),
    st.sampled_from(("auto", "strip", "keep")),
    st.sampled_from(("train", "predict")),
)
@example(b"{ O\n} B-X\n\n", "auto", "train")
def test_sentences_of_a_word_a_line(folder, content, digits, split):
    path = put(folder, "words.txt", content)
    labels = "O,B-PER,I-PER,B-LOC,I-LOC" if split == "predict" else None
    made = _tagging(
        folder,
        token_digits=digits,
        labels=labels,
        do_train=split == "train",
        **{f"{split}_file": path},
    )
    found = tasks.read(made, split, path)
    hashes = content.count(b"\n#") + content.startswith(b"#")
    if found.error or hashes > content.count(b"# id 1\n"):
        return
    groups, has_words = 0, False
    for line in content.decode("utf-8-sig").split("\n"):
        line = line.rstrip(" \t\r")
        if not line or line.split("\t")[0].split(" ")[0] == "-DOCSTART-":
            groups, has_words = groups + has_words, False
        else:
            has_words = has_words or not line.startswith("#")
    tasks.check_whole(found, groups + has_words)


_CLUENER = {
    "text": "叶老桂 a",
    "label": {"name": {"叶老桂": [[0, 2]]}, "x": {"a": [[4, 4]]}},
    "id": 0,
}


@examples(NUM_CLUENER)
@given(near.json_lines(_CLUENER), st.sampled_from(("train", "any")))
@example(b'{"text": "abcd", "label": {"x": {"bc": [[-3, -2]]}}}\n', "train")
def test_sentences_of_cluener(folder, content, split):
    path = put(folder, "cluener.json", content)
    made = _tagging(folder, train_file=path)
    if split == "any":
        held.read(lambda: made.examples_of_file(path), path)
        return
    found = tasks.read(made, split, path)
    if found.error or not content.startswith(b"{"):
        return
    lines = content.decode("utf-8-sig").rstrip("\n").split("\n")
    overlaps = sum("overlaps" in x for x in found.warnings)
    assert overlaps or len(found.value) + found.num_left_out == len(lines)


@examples(NUM_LINES)
@given(near.files_of("a b\tb\n中国 ||| a\n\n".encode()), st.integers(1, 64))
def test_lines_to_answer_and_to_draw_features_of(folder, content, block):
    path = put(folder, "lines.txt", content)
    of_file = held.read(lambda: answering.lines_of(path), path)
    found = held.read(lambda: features._read(path), path)
    assert bool(found.error) == bool(of_file.error)
    reader, writer = os.pipe()
    try:
        # All of it fits in a pipe.
        os.write(writer, content[: 1 << 15])
        os.close(writer)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(predict, "_READ_BYTES", block)
            of_pipe = held.read(
                lambda: list(predict._lines_of_pipe(reader)), "standard input"
            )
    finally:
        os.close(reader)
    if of_file.error:
        return
    lines = of_file.value
    text = content.decode("utf-8-sig").removesuffix("\n")
    assert lines == [x.rstrip("\r") for x in text.split("\n")]
    assert len(found.value) == len(lines)
    piped = [line for some in of_pipe.value or () for line in some]
    assert of_pipe.error or not content or piped == lines
    for made in (
        _tagging(folder),
        question_answering.QuestionAnswering(
            tasks.make_config(
                question_config.QuestionAnsweringConfig,
                folder,
                do_train=False,
                predict_file=path,
                max_query_length=4,
                doc_stride=3,
            )
        ),
    ):
        given_back = held.read(
            lambda made=made: made.examples_of_lines(lines, path, 1), path
        )
        assert given_back.error or len(given_back.value) == len(lines)


@examples(NUM_SIMILAR_WORDS)
@given(near.files_of("中\t国 a\na\tb b 中\n\n".encode()))
def test_similar_words(tmp_path_factory, folder, content):
    path = put(folder, "similar.txt", content)
    settings = built.make_config(
        folder, similar_words=path, mask_unit="macbert"
    )
    vocabulary = vocab.load(str(folder / "vocab.txt"))
    held.read(lambda: similar_words.load(settings, vocabulary), path)
