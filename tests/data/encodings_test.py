"""Text in other encodings makes the records of the same text in UTF-8."""

import gzip
import pathlib

import pytest

from data.building import build, shards
from jobs import engines
from tests import project
from tests.data import built, stoppable

FLAGS = {"dupe_factor": 1, "max_seq_length": 64, "max_predictions_per_seq": 10}
SIMPLIFIED, TRADITIONAL = (
    pathlib.Path(project.ROOT, "samples", "train", f"{name}.txt").read_text(
        encoding="utf-8"
    )
    for name in ("zh_hans", "zh_hant")
)
TEXTS = {
    "GB18030": SIMPLIFIED,
    "gb2312": SIMPLIFIED,
    "Big5": TRADITIONAL,
    "UTF-16": TRADITIONAL,
    "UTF-16BE": SIMPLIFIED,
}


@pytest.fixture(params=[False, True])
def is_cut(request, monkeypatch):
    """Lets a build be of one shard, or of several, in this process."""
    monkeypatch.setattr(engines, "_run_here", stoppable.run_here)
    size = 4_000 if request.param else 1_000_000
    monkeypatch.setattr(shards, "_BYTES_A_MEGABYTE", size)
    return request.param


def make(directory, name, text, encoding=None, pack=bytes):
    """Builds records of two files of text; returns their bytes, and counts.

    Args:
        directory: where all of it goes.
        name: of the files.
        text: what is in them.
        encoding: theirs, and that of the flag; without it there is no flag.
        pack: what makes the bytes of a file of its text's.
    """
    half = text.index("\n", len(text) // 2) + 1
    paths = []
    for number, part in enumerate((text[:half], text[half:])):
        ending = "gz" if pack is gzip.compress else "txt"
        paths.append(directory / f"{name}{number}.{ending}")
        paths[-1].write_bytes(pack(part.encode(encoding or "utf-8")))
    settings = built.make_config(
        directory,
        input_file=",".join(map(str, paths)),
        output_file=f"{directory}/{name}@2",
        shard_megabytes=1,
        **FLAGS | ({"encoding": encoding} if encoding else {}),
    )
    manifest = build.build(settings)
    records = [pathlib.Path(x).read_bytes() for x in settings.output_paths]
    return records, manifest.statistics, len(manifest.shards)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("encoding", TEXTS)
def test_records_are_those_of_the_text_in_utf_8(
    tmp_path, is_cut, encoding, pack
):
    # What an encoding does not have is not in the text of either.
    text = TEXTS[encoding].encode(encoding, "ignore").decode(encoding)
    assert len(text) > 0.95 * len(TEXTS[encoding])
    wanted = make(tmp_path, "utf", text)
    assert make(tmp_path, "other", text, encoding, pack) == wanted
    assert (wanted[2] > 1) == is_cut
    assert all(wanted[0])


def test_the_same_text_in_another_encoding_is_built_already(tmp_path, caplog):
    text = tmp_path / "text.txt"
    flags = FLAGS | {"input_file": str(text)}
    text.write_bytes(SIMPLIFIED.encode())
    first = built.build_only(tmp_path, **flags)
    text.write_bytes(SIMPLIFIED.encode("gb18030"))
    caplog.set_level("INFO")
    again = built.build_only(tmp_path, **flags, encoding="GB18030")
    assert again == first and "already built" in caplog.text


@pytest.mark.parametrize("encoding", ["GB18030", "UTF-16"])
def test_the_wrong_flag_ends_the_build_before_it_writes(tmp_path, encoding):
    text = tmp_path / "text.txt"
    text.write_bytes(SIMPLIFIED.encode(encoding))
    flags = FLAGS | {"input_file": str(text)}
    with pytest.raises(ValueError, match=f"set --encoding={encoding}, or"):
        built.build_only(tmp_path, **flags)
    with pytest.raises(ValueError, match="not Big5, by --encoding, near byte"):
        built.build_only(tmp_path, **flags, encoding="Big5")
    assert {path.name for path in tmp_path.iterdir()} == {
        "text.txt",
        "vocab.txt",
    }
