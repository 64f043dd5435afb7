"""What a flag names is read or named: no file goes missing without a word."""

import os

import pytest

from storage import inputs

SCHEMES = pytest.mark.parametrize("scheme", ["", "file://"])
# Of all names that are read, one that would wait for a writer without end.
PIPE = "z.pipe"


@pytest.fixture
def folder(tmp_path):
    for name in (
        "a.txt",
        "b.json",
        ".hidden",
        "r.manifest.json",
        "r.tmp",
        "r.lock",
        "in/c.txt",
        "in/.hidden/no.txt",
        "in/r.unfinished/00000",
        "in/deep/d.txt",
        "in/deep/e.json",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def names(folder, patterns, scheme=""):
    root = f"{scheme}{folder}"
    found = inputs.expand(patterns.replace("@", root), "train_file")
    return [path.removeprefix(f"{root}/") for path in found]


ALL = ["a.txt", "in/c.txt", "in/deep/d.txt"]


@SCHEMES
@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("@/**", ALL),
        ("@/**/*.txt", ALL),
        ("@/in/**", ["in/c.txt", "in/deep/d.txt"]),
        ("@/in/**/d.txt", ["in/deep/d.txt"]),
        ("@/**/*.json", ["b.json", "in/deep/e.json"]),
        ("@/**/[ad].???", ["a.txt", "in/deep/d.txt"]),
    ],
)
def test_two_stars_stand_for_folders_at_any_depth(
    folder, caplog, scheme, pattern, wanted
):
    assert names(folder, pattern, scheme) == wanted
    assert "folders are left out" not in caplog.text


def test_a_folder_in_a_folder_is_named_as_left_out(folder, caplog):
    assert names(folder, "@") == ["a.txt"]
    assert f"--train_file: 1 folders are left out: {folder}/in; " in caplog.text
    assert f"{folder}/** names their files, too" in caplog.text
    caplog.clear()
    assert names(folder, "@/*") == ["a.txt"]
    assert f"1 folders are left out: {folder}/in; " in caplog.text


def test_a_folder_of_folders_alone_says_what_names_the_files_in_them(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").touch()
    for item in (f"{tmp_path}", f"{tmp_path}/", f"{tmp_path}/*"):
        with pytest.raises(ValueError, match="no file, only folders") as caught:
            inputs.expand(item, "train_file")
        assert f"such as {tmp_path}/in: {tmp_path}/** " in str(caught.value)
    assert inputs.expand(f"{tmp_path}/**") == [f"{tmp_path}/in/a.txt"]


def test_json_in_a_folder_is_left_out_with_a_word_and_read_if_asked_for(
    folder, caplog
):
    assert names(folder, "@") == ["a.txt"]
    words = "1 files that end in .json are left out: "
    assert f"{words}{folder}/b.json" in caplog.text
    caplog.clear()
    assert names(folder, "@/b.json,@/*.json") == ["b.json", "b.json"]
    assert "are left out" not in caplog.text


def test_a_folder_of_json_alone_says_how_to_name_it(tmp_path):
    (tmp_path / "a.json").touch()
    with pytest.raises(ValueError, match="only .json files") as caught:
        inputs.expand(str(tmp_path), "train_file")
    assert f"such as {tmp_path}/a.json; name them" in str(caught.value)


def test_a_file_that_is_named_twice_is_read_twice_and_told_of(folder, caplog):
    assert names(folder, "@/a.txt,@/in,@/a.*") == ["a.txt", "in/c.txt", "a.txt"]
    words = "1 files are named more than once and read as often: "
    assert f"--train_file: {words}{folder}/a.txt" in caplog.text


def test_of_many_files_that_are_left_out_a_few_are_named(tmp_path, caplog):
    (tmp_path / "a.txt").touch()
    for number in range(5):
        (tmp_path / f"{number}.json").touch()
    inputs.expand(str(tmp_path))
    listed = ", ".join(f"{tmp_path}/{number}.json" for number in range(3))
    assert f"5 files that end in .json are left out: {listed} ..." in (
        caplog.text
    )


@pytest.mark.parametrize("patterns", [f"@/{PIPE}", f"@/a.txt,@/{PIPE}", "@"])
def test_a_pipe_is_refused_wherever_it_is_named(folder, patterns):
    os.mkfifo(folder / PIPE)
    with pytest.raises(ValueError, match=f"{folder}/{PIPE} is a pipe"):
        names(folder, patterns)


def test_what_is_piped_in_beside_a_file_is_refused_and_not_dropped(folder):
    reader, writer = os.pipe()
    try:
        os.write(writer, b"text\n")
        with pytest.raises(ValueError, match=f"/dev/fd/{reader} is a pipe"):
            names(folder, f"@/a.txt,/dev/fd/{reader}")
    finally:
        os.close(reader)
        os.close(writer)
    with pytest.raises(ValueError, match="/dev/null is a pipe or a device"):
        names(folder, "/dev/null")


@pytest.fixture
def bracketed(tmp_path):
    for name in ("run[1]/a[2].txt", "run[1]/in/b.txt", "run1/other.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "run[1]" / "a2.txt").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("@/run[1]/a[2].txt", ["run[1]/a[2].txt"]),
        ("@/run[1]", ["run[1]/a2.txt", "run[1]/a[2].txt"]),
        ("@/run[1]/*.txt", ["run[1]/a2.txt", "run[1]/a[2].txt"]),
        ("@/run[1]/*/b.txt", ["run[1]/in/b.txt"]),
        ("@/run[1]/**/b.txt", ["run[1]/in/b.txt"]),
        # There is no such file: it is a pattern.
        ("@/run[1]/[ab]2.txt", ["run[1]/a2.txt"]),
        ("@/run[12]/*", ["run1/other.txt"]),
        ("@/run[[]1]/*/*", ["run[1]/in/b.txt"]),
    ],
)
def test_brackets_of_a_name_that_is_there_are_no_pattern(
    bracketed, pattern, wanted
):
    assert names(bracketed, pattern) == wanted


def test_brackets_are_a_pattern_where_no_folder_has_them(
    bracketed, monkeypatch
):
    monkeypatch.chdir(bracketed)
    assert inputs.expand("run1/[o]*") == ["run1/other.txt"]
    assert inputs.expand("run[1]/in/*") == ["run[1]/in/b.txt"]
    assert inputs.expand("r*1/o*") == ["run1/other.txt"]


def test_a_name_that_is_no_utf_8_is_refused_before_any_work(tmp_path):
    raw = os.fsencode(tmp_path) + b"/bad\xff.txt"
    with open(raw, "wb"):
        pass
    for item in (str(tmp_path), os.fsdecode(raw), f"{tmp_path}/*.txt"):
        with pytest.raises(ValueError, match="is not UTF-8") as caught:
            inputs.expand(item, "train_file")
        said = str(caught.value)
        assert "--train_file" in said and "bad\\xff.txt" in said
        said.encode()


def test_names_of_any_language_are_read(tmp_path):
    (tmp_path / "天地 1,\u200b.txt").touch()
    found = inputs.expand_items([f"{tmp_path}/天*"], "input_file")
    assert found == [f"{tmp_path}/天地 1,\u200b.txt"]


def test_nothing_but_commas_names_no_file():
    with pytest.raises(ValueError, match="^--train_file: names no file$"):
        inputs.expand(" , ,", "train_file")


@SCHEMES
@pytest.mark.parametrize("item", ["@", "@/", "@/*", "@/**", "@/in,@/*.*"])
def test_of_raw_files_a_folder_stands_for_all_in_it(
    folder, caplog, scheme, item
):
    found = [
        path.removeprefix(f"{scheme}{folder}/")
        for path in inputs.expand(
            item.replace("@", f"{scheme}{folder}"), "input_file", is_raw=True
        )
    ]
    wanted = ["a.txt", "b.json", "in/c.txt", "in/deep/d.txt", "in/deep/e.json"]
    assert sorted(found) == wanted
    assert "are left out" not in caplog.text


def test_of_raw_files_those_in_a_folder_with_brackets_are_found(bracketed):
    found = inputs.expand(f"{bracketed}/run[1]", is_raw=True)
    names = [path.removeprefix(f"{bracketed}/run[1]/") for path in found]
    assert names == ["a2.txt", "a[2].txt", "in/b.txt"]


def test_a_folder_without_a_raw_file_is_named(tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(ValueError, match="no file matches"):
        inputs.expand(str(tmp_path), is_raw=True)
