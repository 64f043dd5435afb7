"""Readers of JSON, texts, vocabularies and names, with inputs nearly right.

Held of each: it reads the input or refuses it with an error that names the
file, comes to an end, and loses nothing without a word: what it read and what
it said that it left out are all there is.
"""

import gzip
import json
import math
import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data.building import documents, shards
from interop import bert_config
from storage import inputs, json_files
from tests import project, tiny
from tests.fuzz import held, near
from tests.fuzz.held import examples, put
from text import corpus, encodings, tokenization, vocab

pytestmark = [
    pytest.mark.slow,
    # Of unicode_escape, which is no encoding of texts.
    pytest.mark.filterwarnings("ignore:invalid escape:DeprecationWarning"),
]

NUM_JSON = 600
NUM_CONFIGS = 500
NUM_VOCABULARIES = 200
NUM_TEXTS = 400
NUM_NAMES = 250


_VALID = {"name": "中", "sizes": [1, 2.5], "of": {"a": {"n": 1}}, "is": True}
_SHAPE = {
    "name": str,
    "sizes": [float],
    "of": {str: {"n": int}},
    "is?": (bool, None),
}


@examples(NUM_JSON)
@given(near.json_bytes(_VALID))
def test_json_of_a_shape_is_read_or_refused(tmp_path, data):
    path = put(tmp_path, "a.json", data)
    found = held.read(lambda: json_files.read(path, _SHAPE), path)
    again = held.read(lambda: json_files.read_or_none(path, _SHAPE), path)
    assert (again.value is None) == (found.value is None)
    if found.error:
        assert any(path in x for x in again.warnings)
        return
    assert set(found.value) >= {"name", "sizes", "of"}
    assert all(math.isfinite(x) for x in found.value["sizes"])


@examples(NUM_CONFIGS)
@given(
    near.json_bytes(
        tiny.CONFIG
        | {"architectures": ["BertModel"], "id2label": {"0": "a"}, "x": [1]}
    ),
    st.sampled_from(("bert_config.json", "config.json")),
)
def test_a_config_is_read_or_refused(tmp_path, data, name):
    path = put(tmp_path, name, data)
    found = held.read(lambda: bert_config.read(path), path)
    if found.value:
        text = found.value.to_json()
        assert json.loads(text)["vocab_size"] == found.value.vocab_size


_ROWS = [*project.SPECIAL_TOKENS, "[unused1]", "中", "a", "##b", "\u2028", "é"]
_VOCABULARY = "".join(f"{row}\n" for row in _ROWS).encode()


@examples(NUM_VOCABULARIES)
@given(
    st.one_of(
        near.damaged(_VOCABULARY),
        near.files_of(_VOCABULARY),
        st.sampled_from((b"\xef\xbb\xbf", b"\xff\xfe", b"{", b"\n")).map(
            lambda data: data + _VOCABULARY
        ),
        st.sampled_from(near.ENCODINGS[:14]).map(
            lambda name: _VOCABULARY.decode().encode(name, "replace")
        ),
        near.json_bytes(dict.fromkeys(_ROWS, 1)),
    )
)
def test_a_vocabulary_is_read_or_refused(tmp_path, data):
    path = put(tmp_path, "vocab.txt", data)
    found = held.read(lambda: vocab.load(path), path)
    if found.value:
        lines = data.decode().removesuffix("\n").split("\n")
        assert len(found.value) == len(lines)
        tokenizer = tokenization.Tokenizer(found.value, True)
        held.read(lambda: tokenizer.tokenize("中 a\nzb"), path)


@st.composite
def _texts(draw):
    """(bytes, encoding, whether packed) of a text."""
    name = draw(st.sampled_from(near.ENCODINGS))
    written_in = draw(st.sampled_from((name, name, "UTF-8")))
    text = draw(near.TEXTS)
    try:
        data = text.encode(written_in, "replace")
    except UnicodeError:  # Of names of domains.
        data = text.encode("utf-8", "replace")
    is_packed = draw(st.integers(0, 3)) == 0
    if is_packed:
        data = gzip.compress(data, mtime=0)
    if draw(st.integers(0, 2)) == 0:
        data = draw(near.damaged(data))
    return data, name, is_packed


def _plain(data, name, is_packed):
    """The lines of a text as a few lines of Python read them."""
    data = gzip.decompress(data) if is_packed else data
    if encodings.is_utf_8(name):  # ASCII is a part of it.
        return data.decode().split("\n")
    return data.decode(name).removeprefix("\ufeff").split("\n")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    path = tmp_path_factory.mktemp("vocabulary") / "vocab.txt"
    path.write_bytes(_VOCABULARY)
    return tokenization.Tokenizer(vocab.load(str(path)), True)


@examples(NUM_TEXTS)
@given(_texts(), st.sampled_from((1, 7, 1 << 20)))
@example((b"+2AA-\n", "utf-7", False), 7)
@example((gzip.compress(b"a\n" * 99)[:-9], "GB18030", True), 7)
def test_a_text_is_read_as_python_reads_it(tmp_path, tokenizer, text, block):
    data, name, is_packed = text
    path = put(tmp_path, "text.gz" if is_packed else "text", data)
    chunks = held.read(
        lambda: list(
            corpus.read_chunks(path, chunk_bytes=block, encoding=name)
        ),
        path,
    )
    size = held.read(lambda: corpus.num_text_bytes(path, name), path)
    piece = shards.Piece(path, 0, size.value or 0)
    read = held.read(
        lambda: documents.read(
            [piece],
            tokenizer,
            with_words=False,
            id_type="int32",
            advance=lambda count: None,
            encoding=name,
        ),
        path,
    )
    if chunks.error:
        assert read.error
        return
    lines = _plain(data, name, is_packed)
    assert "".join(chunks.value).split("\n") == lines
    _compare(read, lines, tokenizer)


def _compare(read, lines, tokenizer):
    """Holds sentences and documents against a reader of a few lines."""
    sentences, ends, is_new = [], [], True
    for line in lines:
        ids, _ = tokenizer.tokenize(line)
        if not line.strip():
            is_new = True
        elif len(ids):
            ends += [len(sentences)] * is_new
            sentences.append(ids.tolist())
            is_new = False
    if not sentences:
        assert "no sentence" in str(read.error)
        return
    found = read.value.corpus
    bounds = found.sentences.tolist()
    assert [
        found.ids[a:b].tolist()
        for a, b in zip(bounds, bounds[1:], strict=False)
    ] == sentences
    assert found.documents.tolist() == [*ends, len(sentences)]


_NAMES = (
    *("a.txt", "[a]", "a*", "?", "a b", "中.txt", "x.json", ".hidden", "-"),
    *("a[", "]", "**", "r.manifest.json", "t.tmp", "b.unfinished", "\udcff"),
    *("café", "cafe\u0301", "\n", "~", "$HOME", "%s", "{a}", "\\", "[!a]"),
)


@examples(NUM_NAMES)
@given(st.data())
def test_names_are_found_or_refused(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("names")
    names = data.draw(st.lists(st.sampled_from(_NAMES), unique=True))
    plain = set()
    for name in names:
        path = os.path.join(folder, name)
        kind = data.draw(st.sampled_from(("file", "file", "folder", "fifo")))
        if kind == "file":
            open(path, "wb").close()
            plain.add(path)
        elif kind == "fifo":
            os.mkfifo(path)
        else:
            os.makedirs(path)
            open(os.path.join(path, "in"), "wb").close()
    parts = st.sampled_from((*_NAMES, "", "**", "*/in", "a" * 300, "\0"))
    items = data.draw(st.lists(parts, min_size=1, max_size=3))
    found = held.read(
        lambda: inputs.expand_items(
            [os.path.join(folder, item) for item in items], "input_file"
        ),
        "--input_file",
        str(folder),
    )
    for path in found.value or ():
        assert os.path.isfile(path) and path.startswith(str(folder))
    for item in items:
        # A file that is there under its very name is that file.
        path = os.path.join(folder, item)
        assert found.error or path not in plain or path in found.value
