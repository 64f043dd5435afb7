"""Which files a flag names, and their text."""

import gzip
import hashlib
import itertools

import opencc
import pytest

from storage import inputs
from tests import project
from text import corpus, t2s, vocab


@pytest.fixture
def folder(tmp_path):
    for name in ("b.txt", "a.txt", "c.gz", ".hidden", "x.json", "y.tmp"):
        (tmp_path / name).write_text(name)
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "d.txt").write_text("d")
    return tmp_path


def names(folder, patterns):
    found = inputs.expand(patterns.replace("@", str(folder)))
    return [path.removeprefix(f"{folder}/") for path in found]


def test_items_keep_their_order_and_the_files_of_one_are_sorted(folder):
    assert names(folder, "@/b.txt,@/a.txt") == ["b.txt", "a.txt"]
    assert names(folder, "@/c.gz, @/*.txt,") == ["c.gz", "a.txt", "b.txt"]


def test_a_directory_stands_for_the_data_files_in_it(folder):
    assert names(folder, "@") == ["a.txt", "b.txt", "c.gz"]
    assert names(folder, "@/") == ["a.txt", "b.txt", "c.gz"]


def test_a_glob_stands_for_no_manifest_and_no_folder(folder):
    assert names(folder, "@/*") == ["a.txt", "b.txt", "c.gz"]


def test_a_file_whose_name_looks_like_a_pattern_is_found(folder):
    (folder / "zh[1].txt").write_text("")
    assert names(folder, "@/zh[1].txt") == ["zh[1].txt"]


@pytest.mark.parametrize("item", ["@/none", "@/none*", "@/inner/none/*"])
def test_an_item_without_files_is_an_error_that_names_it(folder, item):
    with pytest.raises(ValueError) as caught:
        inputs.expand(f"{folder}/a.txt,{item.replace('@', str(folder))}")
    assert "--input_file" in str(caught.value)
    assert item.replace("@", str(folder)) in str(caught.value)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r\n"])
def test_chunks_are_whole_lines_and_make_up_the_text(tmp_path, suffix, end):
    text = "\n".join(project.sample_lines()[:40]) + "\u2028x\x85y\r" + end
    path = tmp_path / f"text{suffix}"
    pack = gzip.compress if suffix else bytes
    path.write_bytes(pack(text.encode()))
    for chunk_bytes in (1, 10, 100, 1 << 20):
        digest = hashlib.sha256()
        chunks = list(corpus.read_chunks(str(path), digest, chunk_bytes))
        assert "".join(chunks) == text
        assert all(chunk.endswith("\n") for chunk in chunks[:-1])
        assert digest.digest() == hashlib.sha256(text.encode()).digest()
    steps = []
    digest = corpus.Digest(steps.append)
    assert "".join(corpus.read_chunks(str(path), digest)) == text
    assert sum(steps) == len(text.encode())
    assert digest.describe(f"folder/{path.name}") == corpus.Source(
        name=path.name,
        num_bytes=len(text.encode()),
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        num_lines=text.count("\n"),
    )


def test_packed_files_may_have_several_members(tmp_path):
    path = tmp_path / "text.gz"
    path.write_bytes(gzip.compress(b"a\nb") + gzip.compress(b"c\n"))
    assert "".join(corpus.read_chunks(str(path))) == "a\nbc\n"


def test_many_lines_are_simplified_as_each_alone():
    # Phrases that would be one across the line ends.
    lines = ["乾", "隆", "瞭", "望", "", *project.sample_lines()]
    alone = opencc.OpenCC("t2s")
    wanted = [alone.convert(line) for line in lines]
    assert t2s.to_simplified("\n".join(lines)).split("\n") == wanted
    assert wanted != lines
    assert t2s.to_simplified("臺灣的電腦網絡\n") == "台湾的电脑网络\n"


def test_only_a_line_feed_ends_a_row_of_a_vocabulary(tmp_path):
    rows = ["\u2028", "##\u2028", "\x85", "a\x0b", "z"]
    path = project.write_vocabulary(tmp_path, rows)
    loaded = vocab.load(path)
    assert loaded.rows == (*project.SPECIAL_TOKENS, *rows)
    assert loaded.ids["z"] == len(loaded) - 1 == 9
    with open(path, "rb") as file:
        whole = file.read()
    assert loaded.sha256 == hashlib.sha256(whole).hexdigest()
    with open(path, "wb") as file:
        file.write(whole.removesuffix(b"\n"))
    assert vocab.load(path).rows == loaded.rows


def test_random_words_come_from_every_row_in_order(tmp_path):
    path = project.write_vocabulary(tmp_path, ["a", "##a", "b"])
    loaded = vocab.load(path)
    assert loaded.random_ids("all").tolist() == list(range(len(loaded)))
    continues = itertools.compress(loaded.rows, loaded.is_continuation)
    assert list(continues) == ["##a"]
