"""A user's mistakes: one error that names what to change, nothing half done."""

import gzip
import os
import pathlib
import subprocess
import sys

import pytest

from data.building import build
from tests import project
from tests.data import built
from text import corpus

GOOD = "天地玄黃。\n宇宙洪荒。\n\n日月盈昃。\n辰宿列張。\n"
CHARACTERS = sorted(set("".join(GOOD.split())))


def refused(directory, **flags):
    """The message of a build that must fail and leave nothing behind."""
    settings = built.make_config(directory, **flags)
    before = set(os.listdir(directory))
    with pytest.raises((ValueError, OSError)) as caught:
        build.build(settings)
    assert set(os.listdir(directory)) == before
    return str(caught.value)


def write(directory, content, name="text.txt"):
    path = directory / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def test_a_pattern_without_files_is_named(tmp_path):
    write(tmp_path, GOOD, "there.txt")
    pattern = f"{tmp_path}/there.txt,{tmp_path}/none-*.txt"
    said = refused(tmp_path, input_file=pattern)
    assert "--input_file" in said and f"{tmp_path}/none-*.txt" in said
    assert "--input_file" in refused(tmp_path, input_file=" , ")


def test_records_among_the_text_are_refused(tmp_path):
    path = write(tmp_path, GOOD)
    for text, output in ((str(tmp_path), tmp_path / "out"), (path, path)):
        said = refused(tmp_path, input_file=text, output_file=str(output))
        assert f"--output_file={output}" in said and "another folder" in said


def test_text_in_another_encoding_is_named_with_the_byte(tmp_path):
    bad = GOOD.encode() + "中文".encode("gb18030")
    path = write(tmp_path, bad)
    said = refused(tmp_path, input_file=path)
    assert path in said and f"byte {len(GOOD.encode())} " in said
    assert "0xd6" in said


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("position", [0, 3, 50, 1001, 4999])
def test_the_byte_is_right_wherever_chunks_end(tmp_path, is_packed, position):
    line = "天地\n".encode()
    good = (line * 1000)[: position // 7 * 7].ljust(position)
    content = good + b"\xff" + line * 5
    name = "text.gz" if is_packed else "text"
    packed = gzip.compress(content) if is_packed else content
    path = write(tmp_path, packed, name)
    for chunk_bytes in (1, 5, 64, 1 << 20):
        with pytest.raises(ValueError, match=f"byte {position} .0xff"):
            list(corpus.read_chunks(path, chunk_bytes=chunk_bytes))


def test_a_character_that_the_end_of_the_file_cuts_is_not_utf8(tmp_path):
    path = write(tmp_path, GOOD.encode() + "天".encode()[:2])
    assert f"byte {len(GOOD.encode())} " in refused(tmp_path, input_file=path)


@pytest.mark.parametrize(
    "fault", ["cut", "cut late", "no gzip", "zeros", "ones"]
)
def test_a_broken_gzip_file_is_named(tmp_path, fault):
    lines = "".join(f"{os.urandom(20).hex()}\n" for _ in range(3000))
    whole = gzip.compress(lines.encode())
    middle = len(whole) // 2
    broken = {
        "cut": whole[:middle],
        "cut late": whole[:-3],
        "no gzip": lines.encode(),
        "zeros": whole[:middle] + b"\0" * 200 + whole[middle + 200 :],
        "ones": whole[:middle] + b"\xff" * 200 + whole[middle + 200 :],
    }[fault]
    path = write(tmp_path, broken, "text.txt.gz")
    said = refused(tmp_path, input_file=path)
    assert path in said and "gzip" in said


@pytest.mark.parametrize("content", ["", "\n\n \n", "\0\n\ufffd\n"])
def test_a_corpus_without_a_sentence_is_refused(tmp_path, content):
    path = write(tmp_path, content)
    said = refused(tmp_path, input_file=path)
    assert "--input_file" in said and path in said


VOCABULARIES = {
    "no mask": (b"[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n", ["[MASK]", "--vocab_file"]),
    "repeated": (b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\na\n", ["8", "6"]),
    "crlf": (b"[PAD]\n[UNK]\r\n[CLS]\r\n", ["CRLF", "row 2"]),
    "empty": (b"", ["[PAD]", "--vocab_file"]),
    "not utf-8": (b"[PAD]\n\xff\n", ["byte 6 "]),
}


@pytest.mark.parametrize("name", VOCABULARIES)
def test_an_unfit_vocabulary_is_named(tmp_path, name):
    content, words = VOCABULARIES[name]
    path = write(tmp_path, content, "unfit.txt")
    said = refused(tmp_path, vocab_file=path)
    for word in [path, *words]:
        assert word in said, said


def test_a_missing_vocabulary_is_named(tmp_path):
    path = str(tmp_path / "missing.txt")
    said = refused(tmp_path, vocab_file=path)
    assert path in said and "--vocab_file" in said


@pytest.mark.parametrize(
    "flags",
    [
        {"max_seq_length": 4},
        {"max_seq_length": 1 << 16},
        {"max_predictions_per_seq": 0},
        {"dupe_factor": 0},
        {"masked_lm_prob": 1.5},
        {"short_seq_prob": -0.1},
        {"masked_lm_prob": float("nan")},
        {"output_file": " , "},
        {"output_file": "a,b,a"},
    ],
)
def test_a_value_out_of_range_is_named(tmp_path, flags):
    with pytest.raises(ValueError) as caught:
        built.make_config(tmp_path, **flags)
    ((name, value),) = flags.items()
    assert f"--{name}" in str(caught.value)
    assert str(value).strip(" ,") in str(caught.value)


def warned(directory, caplog, content, **flags):
    caplog.clear()
    settings = built.make_config(
        directory, input_file=write(directory, content), overwrite=True, **flags
    )
    with caplog.at_level("WARNING", logger="absl"):
        build.build(settings)
    return " ".join(
        record.getMessage()
        for record in caplog.records
        if record.levelname == "WARNING"
    )


def test_what_is_legal_and_spoils_the_training_is_warned_of(tmp_path, caplog):
    fit = {"max_seq_length": 64, "max_predictions_per_seq": 10}
    vocabulary = project.write_vocabulary(tmp_path, CHARACTERS, "fit.txt")
    fit["vocab_file"] = vocabulary
    assert warned(tmp_path, caplog, GOOD, **fit) == ""
    single = GOOD.replace("\n", "\n\n")
    assert "one sentence" in warned(tmp_path, caplog, single, **fit)
    one = GOOD.replace("\n\n", "\n")
    assert "one document" in warned(tmp_path, caplog, one, **fit)
    far = fit | {"max_predictions_per_seq": 40}
    said = warned(tmp_path, caplog, GOOD, **far)
    assert "--max_predictions_per_seq=40" in said and "9.6" in said
    strange = GOOD.replace("日月", "\u0e01 \u0e02")
    assert "[UNK]" in warned(tmp_path, caplog, strange, **fit)


def test_documents_glued_across_files_are_warned_of(tmp_path, caplog):
    paths = [write(tmp_path, GOOD, f"{i}.txt") for i in range(3)]
    closed = write(tmp_path, GOOD + "\n", "closed.txt")
    settings = built.make_config(
        tmp_path, input_file=",".join([paths[0], closed, *paths[1:]])
    )
    with caplog.at_level("WARNING"):
        result = build.build(settings)
    assert result.statistics["num_documents"] == 2 + 2 + 1 + 1
    assert "2 of 4 files do not end with a blank line" in caplog.text
    assert f"the first is {paths[0]}" in caplog.text


def test_the_command_says_one_line_and_no_traceback(tmp_path):
    text = write(tmp_path, GOOD.encode() + b"\xff\n")
    vocabulary = project.write_vocabulary(tmp_path, CHARACTERS)
    unfit = write(tmp_path, "[PAD]\n", "unfit.txt")
    wanted = {
        (text, unfit): f"{unfit}: not a BERT vocabulary",
        (f"{tmp_path}/none", vocabulary): "--input_file: no file matches",
        (text, vocabulary): f"{text}: not UTF-8 at byte {len(GOOD.encode())} ",
    }
    for (input_file, vocab_file), words in wanted.items():
        done = subprocess.run(
            [
                sys.executable,
                str(project.ROOT / "create_pretraining_data.py"),
                f"--input_file={input_file}",
                f"--output_file={tmp_path}/made/records",
                f"--vocab_file={vocab_file}",
            ],
            env=project.environment(),
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1, done.stderr
        last = done.stderr.strip().splitlines()[-1]
        assert last.startswith(f"error: {words}"), done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
        made = pathlib.Path(tmp_path, "made")
        assert not made.exists() or not os.listdir(made)
