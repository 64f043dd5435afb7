"""What an unfinished build left, met by a build of something else."""

import contextlib

import pytest

from tests.data.stoppable import Build


@pytest.fixture
def make(tmp_path, monkeypatch):
    return lambda num_files: Build(tmp_path, num_files, monkeypatch)


OTHERS = {
    "a seed": {"random_seed": 2},
    "the seed of the next shard": {"random_seed": 12346},
    "case": {"do_lower_case": False},
    "more outputs": {"output_file": "more"},
}


@pytest.mark.parametrize("name", OTHERS)
def test_an_unfinished_build_of_other_flags_is_not_mixed_in(make, name):
    made = make(2)
    outputs = made.settings().output_file
    flags = OTHERS[name]
    if name == "more outputs":
        flags = {"output_file": f"{outputs},{made.folder}/one"}
    made.run(**flags)
    wanted = made.contents()
    made.clear()
    for calls in range(2, 11, 2):
        assert made.is_killed(calls)
        with contextlib.suppress(FileExistsError):
            made.run(**flags)
        made.run(**flags, overwrite=True)
        assert made.contents() == wanted
        made.clear()


def test_a_shard_that_goes_into_fewer_files_now_is_built_again(make):
    made = make(3)
    text = made.text.read_bytes()
    # One document that is the first shard however small shards should be.
    long = b"\n".join(line for line in text.splitlines() if line.strip())
    rest = text[: text.rindex(b"\n\n", 0, 38_000)]
    made.text.write_bytes(long + b"\n\n" + rest)
    assert made.run() >= {0, 1, 2}
    made.clear()
    assert made.run(shard_megabytes=3) == {0, 1}
    made.clear()
    made.run()
    wanted = made.contents()
    made.clear()
    assert made.is_killed(3, shard_megabytes=3)
    assert made.done() == {0}
    made.run()
    assert made.contents() == wanted


DAMAGES = {
    "empty": lambda data: b"",
    "cut": lambda data: data[: len(data) // 2],
    "longer": lambda data: data + b"\0",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_to_an_unfinished_build_costs_work_only(make, damage):
    made = make(2)
    made.run()
    wanted = made.contents()
    made.clear()
    for calls in (5, 10):
        assert made.is_killed(calls)
        for path in sorted(made.folder.glob("*.unfinished/*")):
            with made.kept():
                path.write_bytes(DAMAGES[damage](path.read_bytes()))
                made.run()
                assert made.contents() == wanted
        made.clear()
