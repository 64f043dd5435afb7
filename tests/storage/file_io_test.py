"""Files are written whole, put on the disk, and never through a link."""

import builtins
import errno
import os
import stat

import pytest

from storage import file_io

SCHEMES = pytest.mark.parametrize("scheme", ["", "file://"])


@pytest.fixture
def calls(monkeypatch):
    """What is done to files, in order: (name, path)."""
    noted = []

    def note(name):
        real = getattr(os, name)

        def noting(file, *others, **more):
            if isinstance(file, int):
                path = os.readlink(f"/proc/self/fd/{file}")
                noted.append((name, path, os.fstat(file).st_size))
            else:
                noted.append((name, os.fspath(file)))
            return real(file, *others, **more)

        monkeypatch.setattr(os, name, noting)

    for name in ("fsync", "replace"):
        note(name)
    return noted


def write_whole(path):
    file_io.write_whole(path, b"x" * 1000)


def write_lines(path):
    file_io.write_lines(path, ["x" * 999])


def copy(path):
    source = path + ".source"
    with open(source, "wb") as file:
        file.write(b"x" * 1000)
    file_io.copy(source, path)
    os.remove(source)


@pytest.mark.parametrize("write", [write_whole, write_lines, copy])
def test_all_bytes_are_on_the_disk_before_the_file_has_its_name(
    tmp_path, calls, write
):
    path = str(tmp_path / "a")
    write(path)
    (synced, temporary, num_bytes), (renamed, moved) = calls
    assert (synced, renamed) == ("fsync", "replace")
    assert moved == temporary != path
    assert num_bytes == 1000 == os.path.getsize(path)
    assert os.listdir(tmp_path) == ["a"]


@SCHEMES
@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path, scheme, error
):
    (tmp_path / "a").write_bytes(b"old")
    path = f"{scheme}{tmp_path}/a"
    with pytest.raises(error), file_io.whole(path) as out:
        out.write(b"half")
        raise error
    assert os.listdir(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"
    file_io.write_whole(path, b"new")
    assert os.listdir(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"new"


def test_a_disk_that_is_full_at_the_sync_leaves_nothing(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        file_io.write_whole(str(tmp_path / "a"), b"x")
    assert os.listdir(tmp_path) == []


@SCHEMES
def test_two_that_write_a_file_at_once_do_not_mix_their_bytes(tmp_path, scheme):
    path = f"{scheme}{tmp_path}/a"
    with file_io.whole(path) as one:
        one.write(b"one")
        with file_io.whole(path) as other:
            other.write(b"another")
            assert len(os.listdir(tmp_path)) == 2
        assert (tmp_path / "a").read_bytes() == b"another"
        one.write(b", all of it")
    assert (tmp_path / "a").read_bytes() == b"one, all of it"
    assert os.listdir(tmp_path) == ["a"]


def test_a_link_under_the_name_is_replaced_and_not_followed(tmp_path):
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    link = tmp_path / "link"
    link.symlink_to(precious)
    with file_io.open_new(str(link)) as out:
        out.write(b"new")
    assert precious.read_bytes() == b"precious"
    assert not link.is_symlink() and link.read_bytes() == b"new"
    # A link that leads nowhere makes no file there either.
    link.unlink()
    link.symlink_to(tmp_path / "nowhere")
    file_io.write_whole(str(link), b"new")
    assert not (tmp_path / "nowhere").exists()
    assert not link.is_symlink() and link.read_bytes() == b"new"


def test_a_link_put_there_at_the_last_moment_is_not_followed(
    tmp_path, monkeypatch
):
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    path = str(tmp_path / "a")

    def clear_and_be_overtaken(path):
        os.symlink(precious, path)

    monkeypatch.setattr(file_io, "clear", clear_and_be_overtaken)
    with pytest.raises(FileExistsError):
        file_io.open_new(path)
    assert precious.read_bytes() == b"precious"


def test_a_new_file_is_read_by_whom_the_mask_of_the_user_lets(tmp_path):
    mask = os.umask(0o027)
    try:
        file_io.write_whole(str(tmp_path / "a"), b"x")
    finally:
        os.umask(mask)
    assert stat.S_IMODE(os.stat(tmp_path / "a").st_mode) == 0o640


def test_of_a_link_to_a_folder_only_the_link_is_removed(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "a").touch()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "there")
    file_io.remove_tree(str(link))
    assert os.listdir(tmp_path) == ["there"]
    file_io.remove_tree(str(tmp_path / "there"))
    assert os.listdir(tmp_path) == []
    file_io.remove_tree(str(tmp_path / "there"))


def test_half_of_a_surrogate_pair_is_written_as_json_says_it(tmp_path):
    file_io.write_lines(str(tmp_path / "a"), ['"头\ud800"', "b"])
    assert (tmp_path / "a").read_bytes() == '"头\\ud800"\nb\n'.encode()


@SCHEMES
def test_names_with_brackets_are_names_and_no_patterns(tmp_path, scheme):
    for name in ("run[1]", "run1"):
        (tmp_path / name).mkdir()
    (tmp_path / "run[1]" / "b*").touch()
    (tmp_path / "run[1]" / "a").mkdir()
    (tmp_path / "run1" / "other").touch()
    folder = f"{scheme}{tmp_path}/run[1]"
    assert file_io.names_in(folder) == ["a", "b*"]
    assert file_io.names_in(f"{folder}/b*") == []
    assert file_io.names_in(f"{scheme}{tmp_path}/none") == []


POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e\n"
    b"size 12345\n"
)


def test_the_pointer_of_git_lfs_is_not_taken_for_the_file(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_bytes(POINTER)
    with pytest.raises(ValueError, match=f"{path} .*git lfs pull"):
        file_io.read_bytes(str(path))
    path.write_bytes(b"a " + POINTER)
    assert file_io.read_bytes(str(path)) == b"a " + POINTER


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    path = str(tmp_path / "pipe")
    os.mkfifo(path)
    for read in (file_io.open_binary, file_io.read_bytes, file_io.sha256):
        with pytest.raises(ValueError, match=f"{path} is a pipe"):
            read(path)
    with pytest.raises(ValueError, match=f"{tmp_path} is a folder"):
        file_io.read_bytes(str(tmp_path))


def test_the_folder_of_an_output_is_made_before_the_work(tmp_path):
    file_io.check_output(f"{tmp_path}/new/dir/a.txt", "output_file")
    assert os.listdir(tmp_path / "new" / "dir") == []
    file_io.check_output_directory(f"{tmp_path}/other/dir", "output_dir")
    assert os.listdir(tmp_path / "other" / "dir") == []


def test_an_output_without_a_folder_goes_to_the_one_there_is(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    file_io.check_output("a.txt", "output_file")
    assert os.listdir(tmp_path) == []


@SCHEMES
def test_a_folder_is_no_output_file(tmp_path, scheme):
    path = f"{scheme}{tmp_path}"
    with pytest.raises(ValueError, match=f"^--html={path} is a folder"):
        file_io.check_output(path, "html")


def test_a_file_in_the_place_of_a_folder_is_named_with_the_flag(tmp_path):
    (tmp_path / "file").write_bytes(b"precious")
    for path in (f"{tmp_path}/file/a", f"{tmp_path}/file/b/a"):
        with pytest.raises(ValueError, match=f"^--html: {tmp_path}/file"):
            file_io.check_output(path, "html")
    with pytest.raises(ValueError, match="^--output_dir: .*File exists"):
        file_io.check_output_directory(f"{tmp_path}/file", "output_dir")
    assert (tmp_path / "file").read_bytes() == b"precious"


def test_a_folder_that_takes_no_file_is_named_with_the_flag(
    tmp_path, monkeypatch
):
    real = os.open

    def refuse(path, flags, *others, **more):
        if flags & os.O_CREAT:
            raise OSError(errno.EROFS, "Read-only file system", path)
        return real(path, flags, *others, **more)

    # Whoever may write everywhere, as root may, meets this one as well.
    monkeypatch.setattr(os, "open", refuse)
    words = f"^--output_file: {tmp_path}: Read-only file system$"
    with pytest.raises(ValueError, match=words):
        file_io.check_output(f"{tmp_path}/a", "output_file")
    assert os.listdir(tmp_path) == []


def test_a_device_or_a_pipe_may_be_written_to(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")

    def refuse(*arguments, **more):
        pytest.fail("it is opened, or its folder need be ours")

    monkeypatch.setattr(builtins, "open", refuse)
    monkeypatch.setattr(file_io, "check_output_directory", refuse)
    file_io.check_output("/dev/null", "output_file")
    file_io.check_output(str(tmp_path / "pipe"), "output_file")
    assert os.listdir(tmp_path) == ["pipe"]


def test_a_bucket_that_is_not_there_is_named(monkeypatch):
    class Nothing:
        def isdir(self, path):
            return False

        exists = isdir

        def makedirs(self, path):
            pytest.fail("TensorFlow asks for it again and again")

    monkeypatch.setattr(file_io, "gfile", Nothing)
    with pytest.raises(ValueError, match="^--output_dir: .*no gs://none/$"):
        file_io.check_output_directory("gs://none/a/b", "output_dir")


@SCHEMES
def test_what_a_kill_left_half_written_is_removed_and_nothing_else(
    tmp_path, scheme
):
    (tmp_path / "out").mkdir()
    folder = f"{scheme}{tmp_path}/out"
    names = ["checkpoint.744b400d.tmp", "checkpoint", "notes.tmp", "a.b.tmp"]
    for name in names:
        file_io.write_whole(f"{folder}/{name}", b"x")
    file_io.remove_leftovers(folder)
    assert file_io.names_in(folder) == sorted(names[1:])
    file_io.remove_leftovers(f"{folder}/none")
