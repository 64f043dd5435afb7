"""A corpus cut into shards, each of which is a corpus of its own."""

import gzip
import itertools
import pathlib

import pytest

from data.building import build, shards
from tests import google_reference, project
from tests.data import built

BYTES_A_MEGABYTE = 7_000


@pytest.fixture(autouse=True)
def small_megabytes(monkeypatch):
    monkeypatch.setattr(shards, "_BYTES_A_MEGABYTE", BYTES_A_MEGABYTE)


def cut(directory, paths, **flags):
    config = built.make_config(directory, **{"shard_megabytes": 1} | flags)
    return shards.cut(config, [str(path) for path in paths])


def text_of(shard):
    """The bytes of a shard; those of packed files as they are unpacked."""
    parts = []
    for path, begin, end in shard.pieces:
        opened = gzip.open if path.endswith(".gz") else open
        with opened(path, "rb") as file:
            parts.append(file.read()[begin:end])
    return b"".join(parts)


def write(directory, texts, is_packed=False):
    paths = []
    for number, text in enumerate(texts):
        path = directory / f"{number}.txt{'.gz' if is_packed else ''}"
        data = text.encode()
        path.write_bytes(gzip.compress(data) if is_packed else data)
        paths.append(path)
    return paths


@pytest.mark.parametrize("is_packed", [False, True])
def test_shards_hold_all_text_once_and_begin_behind_blank_lines(
    tmp_path, is_packed
):
    texts = [
        pathlib.Path(p).read_text(encoding="utf-8") for p in project.SAMPLES
    ]
    texts.insert(1, "")
    paths = write(tmp_path, texts, is_packed)
    found = cut(tmp_path, paths)
    assert len(found) > 4
    assert [s.seed for s in found] == [12345 + s.index for s in found]
    assert b"".join(map(text_of, found)) == "".join(texts).encode()
    for before, _ in itertools.pairwise(found):
        last = text_of(before).decode().removesuffix("\n").split("\n")[-1]
        assert not last.strip()
    sizes = [shard.num_bytes for shard in found]
    assert max(sizes) < 2 * BYTES_A_MEGABYTE


@pytest.mark.parametrize("megabytes", [0, 1])
def test_a_corpus_up_to_the_limit_is_one_shard(tmp_path, megabytes):
    paths = write(tmp_path, ["天地。\n\n" * 500, "", "山水。\n\n" * 100])
    total = sum(path.stat().st_size for path in paths)
    assert 0.9 * BYTES_A_MEGABYTE < total < BYTES_A_MEGABYTE
    (shard,) = cut(tmp_path, paths, shard_megabytes=megabytes)
    assert shard.seed == 12345
    assert [piece.path for piece in shard.pieces] == [
        str(paths[0]),
        str(paths[2]),
    ]


def test_a_document_is_never_cut_and_may_go_on_in_the_next_file(
    tmp_path, caplog
):
    long = "天地。\n" * 10_000
    paths = write(
        tmp_path, [long, long + " \u3000\r\n山水。\n\n" + "雨。\n" * 4000]
    )
    found = cut(tmp_path, paths)
    assert [text_of(shard).decode()[:3] for shard in found] == [
        "天地。",
        "山水。",
    ]
    assert "have no blank line" in caplog.text


def outputs(directory, name, number):
    return f"{directory}/{name}/records@{number}"


def read_all(settings):
    packed = settings.gzip_compress
    return [built.read(path, packed) for path in settings.output_paths]


@pytest.mark.parametrize(
    ("num_files", "flags"),
    [
        (1, {}),
        (3, {"gzip_compress": True}),
        (20, {}),
        (2, {"pair_task": "none", "masking": "dynamic"}),
    ],
)
def test_bytes_do_not_depend_on_the_number_of_workers(
    tmp_path, num_files, flags
):
    made = []
    for workers in (1, 3):
        settings = built.make_config(
            tmp_path,
            output_file=outputs(tmp_path, workers, num_files),
            shard_megabytes=3,
            num_workers=workers,
            **flags,
        )
        manifest = build.build(settings)
        folder = tmp_path / str(workers)
        made.append({p.name: p.read_bytes() for p in folder.iterdir()})
    assert made[0] == made[1]
    assert len(made[0]) == num_files + 1
    assert len(manifest.shards) == 3


@pytest.mark.parametrize(
    ("num_files", "gzip_compress"),
    [(1, True), (2, False), (3, True), (7, False)],
)
def test_each_shard_is_built_as_if_it_were_the_whole_corpus(
    tmp_path, num_files, gzip_compress
):
    settings = built.make_config(
        tmp_path,
        output_file=outputs(tmp_path, "made", num_files),
        shard_megabytes=3,
        gzip_compress=gzip_compress,
    )
    found = cut(tmp_path, settings.input_file.split(","), shard_megabytes=3)
    assert len(found) == 3
    build.build(settings)
    wanted = [[] for _ in range(num_files)]
    for shard in found:
        path = tmp_path / "shard.txt"
        path.write_bytes(text_of(shard))
        arguments = google_reference.arguments([])
        for name in vars(arguments):
            setattr(arguments, name, getattr(settings, name))
        arguments.input_file = str(path)
        arguments.random_seed = settings.random_seed + shard.index
        records = list(google_reference.build(arguments))
        parts = shards.share_out(len(found), num_files)
        files = [part.file for part in parts if part.shard == shard.index]
        for k, file in enumerate(files):
            wanted[file] += records[k :: len(files)]
    assert read_all(settings) == wanted


def test_a_shard_that_fails_leaves_the_others_and_is_built_when_mended(
    tmp_path, caplog
):
    text = b"".join(pathlib.Path(p).read_bytes() for p in project.SAMPLES)
    place = len(text) // 2
    while text[place] < 0x80:
        place += 1
    path = tmp_path / "text.txt"
    path.write_bytes(text[:place] + b"\xff" + text[place + 1 :])
    settings = built.make_config(
        tmp_path,
        input_file=str(path),
        output_file=outputs(tmp_path, "made", 2),
        shard_megabytes=3,
        num_workers=2,
    )
    with pytest.raises(ValueError, match="1 of 3 shards failed") as raised:
        build.build(settings)
    said = str(raised.value)
    assert f"{path}: not UTF-8 at byte {place}" in said
    assert f"shard 1 (of {path}, from byte " in said
    assert not any(pathlib.Path(p).exists() for p in settings.output_paths)
    path.write_bytes(text)
    with caplog.at_level("INFO", logger="absl"):
        manifest = build.build(settings)
    assert "2 of 3 shards are built already" in caplog.text
    whole = build.build(
        built.make_config(
            tmp_path,
            input_file=str(path),
            output_file=outputs(tmp_path, "whole", 2),
            shard_megabytes=3,
        )
    )
    assert manifest.shards == whole.shards
    for made in settings.output_paths:
        again = made.replace("/made/", "/whole/")
        assert pathlib.Path(made).read_bytes() == (
            pathlib.Path(again).read_bytes()
        )
    assert not list(tmp_path.glob("made/*.unfinished"))
