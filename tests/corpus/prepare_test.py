"""From raw files to a corpus: what is there in the end, and after stops."""

import io
import itertools
import json
import re
import shutil
import types

import pytest

from corpus import prepare, shards
from jobs import engines
from storage import file_io
from tests import albert_text, project, roberta_text
from tests.corpus import prepared
from text import tokenization, vocabularies

HELDOUT = "heldout/clue_*.txt"
NUMBERS = range(40)


@pytest.fixture
def raw(tmp_path):
    """A folder of raw files, some in a folder in it."""
    prepared.write_json_lines(tmp_path / "raw/a.jsonl", NUMBERS[:25])
    prepared.write_json_lines(tmp_path / "raw/more/b.jsonl", NUMBERS[25:])
    return tmp_path


def run(folder, **flags):
    return prepare.prepare(prepared.config(folder, **flags))


def without_blanks(text):
    return re.sub(r"\s", "", text)


def test_every_document_arrives_whole_one_sentence_a_line(raw):
    result = run(raw, heldout_share=0.0)
    found = prepared.documents(raw / "corpus")
    assert list(map(without_blanks, found)) == [
        without_blanks(prepared.document(number)) for number in NUMBERS
    ]
    assert "切开时，瓜瓤凉得牙齿发酸！" in found[0].split("\n")
    assert "Dr. Moss counted 3.5 boxes of nails." in found[2].split("\n")
    assert result.num_raw_documents == result.sizes.num_documents == 40
    assert result.sizes.num_sentences == sum(x.count("\n") + 1 for x in found)
    assert result.num_raw_files == 2


@pytest.mark.parametrize("texts", [albert_text, roberta_text, None])
def test_the_tokens_of_any_tokenizer_are_counted(raw, texts):
    if texts:
        texts.write_model(raw)
    else:
        project.write_vocabulary(raw, project.sample_vocabulary())
    path = vocabularies.find_in(str(raw))
    is_uncased = texts is not roberta_text
    flags = {"heldout_share": 0.0, "do_lower_case": is_uncased}
    result = run(raw, tokenizer=path, **flags)
    vocabulary = vocabularies.read(path)
    assert result.flags["vocab_file"] == vocabulary.sha256
    tokenizer = tokenization.Tokenizer(vocabulary, is_uncased)
    text = "\n".join(prepared.documents(raw / "corpus"))
    ids, _ = tokenizer.tokenize(text)
    assert result.sizes.num_tokens == len(ids)
    unknown = (ids == vocabulary.roles.unk).sum()
    assert result.sizes.num_unk_tokens == unknown
    # Whichever flag names the file, the corpus is the same.
    before = prepared.contents(raw / "corpus")
    if texts is not roberta_text:
        flag = "spm_model_file" if texts else "vocab_file"
        run(raw, **{flag: path}, **flags)
        assert prepared.contents(raw / "corpus") == before
    with pytest.raises(FileExistsError, match="is of other files or flags"):
        run(raw, **flags)


def test_the_bytes_do_not_depend_on_the_workers(raw, monkeypatch):
    monkeypatch.setattr(shards, "_BYTES_A_MEGABYTE", 3_000)
    seen = []
    for workers in (1, 2, 3):
        run(raw, num_workers=workers, shard_megabytes=1, heldout_share=0.2)
        seen.append(prepared.contents(raw / "corpus"))
        shutil.rmtree(raw / "corpus")
    assert len(seen[0]) > 6
    assert seen[0] == seen[1] == seen[2]


def test_the_same_command_again_finds_all_done(raw, caplog):
    caplog.set_level("INFO")
    first = run(raw)
    before = prepared.contents(raw / "corpus")
    assert run(raw) == first
    assert "already prepared" in caplog.text
    assert prepared.contents(raw / "corpus") == before


def test_other_flags_are_refused_and_with_overwrite_nothing_old_stays(
    raw, monkeypatch
):
    monkeypatch.setattr(shards, "_BYTES_A_MEGABYTE", 3_000)
    run(raw, shard_megabytes=1)
    many = prepared.contents(raw / "corpus")
    with pytest.raises(FileExistsError, match="--overwrite"):
        run(raw, shard_megabytes=9)
    assert prepared.contents(raw / "corpus") == many
    run(raw, shard_megabytes=9, overwrite=True, heldout_share=0.0)
    assert sorted(prepared.contents(raw / "corpus")) == [
        "clue_pretrain_0000001.txt",
        "corpus.manifest.json",
        "corpus.report.html",
    ]


def test_changed_files_are_other_files(raw):
    run(raw)
    prepared.write_json_lines(raw / "raw/a.jsonl", [*NUMBERS[:24], 99])
    with pytest.raises(FileExistsError, match="of other files or flags"):
        run(raw)


def test_files_of_somebody_else_are_not_replaced(raw):
    (raw / "corpus").mkdir()
    (raw / "corpus/clue_pretrain_0000001.txt").write_text("mine\n")
    with pytest.raises(FileExistsError, match="clue_pretrain_0000001.txt"):
        run(raw)


def test_a_larger_corpus_holds_out_the_same_documents(raw):
    run(raw, heldout_share=0.3)
    before = set(prepared.documents(raw / "corpus", HELDOUT))
    trained = set(prepared.documents(raw / "corpus"))
    assert 4 < len(before) < 22 and len(trained) == 40 - len(before)
    prepared.write_json_lines(raw / "raw/0.jsonl", range(40, 90))
    run(raw, heldout_share=0.3, overwrite=True)
    after = set(prepared.documents(raw / "corpus", HELDOUT))
    assert before < after
    assert not after & trained


def test_the_first_of_equal_documents_stays(raw, monkeypatch):
    monkeypatch.setattr(shards, "_BYTES_A_MEGABYTE", 3_000)
    prepared.write_json_lines(raw / "raw/more/c.jsonl", [3, 100, 4, 3])
    result = run(raw, shard_megabytes=1, heldout_share=0.0)
    found = list(map(without_blanks, prepared.documents(raw / "corpus")))
    wanted = [*NUMBERS, 100]
    assert found == [without_blanks(prepared.document(x)) for x in wanted]
    assert result.tally["document_exact_duplicate"]["num"] == 3
    (sample, *_) = result.tally["document_exact_duplicate"]["samples"]
    assert "c.jsonl" in sample["source"] and "a.jsonl" in sample["source"]


def test_near_copies_go_and_lines_that_all_have_stay_once(raw):
    menu = "首页 新闻中心 关于我们 联系方式 网站地图 加入收藏"
    for path in (raw / "raw/a.jsonl", raw / "raw/more/b.jsonl"):
        text = path.read_text(encoding="utf-8")
        text = text.replace('{"text": "', f'{{"text": "{menu}\\n')
        path.write_text(text, encoding="utf-8")
    changed = prepared.document(3).replace("石榴", "苹果")
    with open(raw / "raw/a.jsonl", "a", encoding="utf-8") as file:
        record = {"text": f"{menu}\n{changed}"}
        file.write(json.dumps(record, ensure_ascii=False) + "\n")
    result = run(
        raw,
        near_duplicates=True,
        near_duplicate_threshold=0.95,
        repeated_line_documents=41,
        drop_boilerplate=False,
        heldout_share=0.0,
    )
    found = prepared.documents(raw / "corpus")
    assert sum(menu in text for text in found) <= 1
    assert result.tally["line_repeated"]["num"] == 40
    assert result.frequent_lines[0] == {"documents": 41, "text": menu}
    assert not any("苹果" in text for text in found)


def test_standard_input_is_a_file_like_others(tmp_path, monkeypatch):
    path = prepared.write_json_lines(tmp_path / "a.jsonl", NUMBERS)
    data = path.read_bytes()
    for folder, item in (("x", str(path)), ("y", "-")):
        stdin = types.SimpleNamespace(buffer=io.BytesIO(data))
        monkeypatch.setattr("sys.stdin", stdin)
        run(tmp_path, input_file=item, output_dir=str(tmp_path / folder))
    one, other = (prepared.contents(tmp_path / x) for x in "xy")
    name = "clue_pretrain_0000001.txt"
    assert one[name] == other[name]
    assert not (tmp_path / "y/corpus.unfinished").exists()


def test_a_folder_without_text_is_one_line_that_says_why(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
    with pytest.raises(ValueError, match="none is kept.*picture.png"):
        run(tmp_path)


def test_the_corpus_may_not_be_among_the_raw_files(raw):
    run(raw, output_dir=str(raw / "raw/corpus"))
    with pytest.raises(ValueError, match="write the corpus to another folder"):
        run(raw, output_dir=str(raw / "raw/corpus"), overwrite=True)


class Killed(BaseException):
    """Stops the work at once, as SIGKILL would, but in this process."""


def killed_after(calls, monkeypatch, work):
    """Runs up to so many changes of files; returns whether it had more."""
    count = itertools.count()

    def until(name):
        whole = getattr(file_io, name)

        def changed(path, *args):
            if next(count) >= calls:
                raise Killed
            return whole(path, *args)

        return changed

    with monkeypatch.context() as patch:
        for name in ("rename", "remove", "remove_tree", "make_directory"):
            patch.setattr(file_io, name, until(name))
        try:
            work()
        except Killed:
            return True
    return False


def test_stopped_anywhere_the_same_command_ends_with_the_same_bytes(
    tmp_path, monkeypatch
):
    raw = tmp_path
    prepared.write_json_lines(raw / "raw/a.jsonl", [*range(9), 4])
    monkeypatch.setattr(shards, "_BYTES_A_MEGABYTE", 5_000)
    monkeypatch.setattr(
        engines,
        "_run_here",
        lambda _, function, jobs, advance: [function(x, advance) for x in jobs],
    )

    def work():
        run(raw, shard_megabytes=1, heldout_share=0.2)

    work()
    wanted = prepared.contents(raw / "corpus")
    for calls in itertools.count():
        shutil.rmtree(raw / "corpus")
        if not killed_after(calls, monkeypatch, work):
            break
        work()
        assert prepared.contents(raw / "corpus") == wanted, calls
    assert calls > 30
    assert prepared.contents(raw / "corpus") == wanted
