"""The output files that --output_file stands for."""

import pytest

from data import config


def outputs(output_file):
    settings = config.BuildConfig(
        input_file="text", output_file=output_file, vocab_file="vocab.txt"
    )
    return settings.output_items, settings.output_paths


def test_a_number_behind_a_name_stands_for_as_many_files():
    items, paths = outputs(" gs://here/a@3 , b,c/d@1 ,, @2,e@f@2,g@x,h/@2")
    assert items == [
        "gs://here/a@3",
        "b",
        "c/d@1",
        "@2",
        "e@f@2",
        "g@x",
        "h/@2",
    ]
    assert paths == [
        "gs://here/a-00000-of-00003",
        "gs://here/a-00001-of-00003",
        "gs://here/a-00002-of-00003",
        "b",
        "c/d-00000-of-00001",
        "@2",
        "e@f-00000-of-00002",
        "e@f-00001-of-00002",
        "g@x",
        "h/@2",
    ]


def test_many_files_are_named_in_their_order():
    _, paths = outputs("a@99999")
    assert len(set(paths)) == 99_999
    assert paths == sorted(paths)


@pytest.mark.parametrize("number", ["0", "000", "100000", "9" * 30])
def test_a_number_of_files_out_of_range_is_named(number):
    with pytest.raises(ValueError, match=f"--output_file=a@{number}: from 1"):
        outputs(f"b,a@{number}")


@pytest.mark.parametrize(
    "twice", ["a,b, a", "a@2,a@2", "a@1,a-00000-of-00001", "./a@2,./a@2"]
)
def test_a_file_named_twice_is_refused(twice):
    with pytest.raises(ValueError, match="--output_file names a file twice"):
        outputs(twice)
