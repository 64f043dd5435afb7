"""Whole builds: the records of google-research/bert, in its order."""

import gzip
import json
import pathlib

import pytest

from data.building import build, documents
from tests import project
from tests.data import built
from text import corpus

FLAGS = {
    "the defaults": {},
    "another seed": {"random_seed": 7, "dupe_factor": 3},
    "a seed below zero": {"random_seed": -3},
    "a seed of many bits": {"random_seed": 1 << 70, "dupe_factor": 1},
    "whole words": {"do_whole_word_mask": True, "masked_lm_prob": 0.3},
    "whole words, short": {
        "do_whole_word_mask": True,
        "max_seq_length": 24,
        "max_predictions_per_seq": 2,
    },
    "cased": {"do_lower_case": False},
    "long": {"max_seq_length": 512, "max_predictions_per_seq": 77},
    "shortest": {"max_seq_length": 5, "max_predictions_per_seq": 1},
    "always short": {"short_seq_prob": 1.0, "max_seq_length": 64},
    "never short": {"short_seq_prob": 0.0, "max_seq_length": 60},
    "few masks": {"masked_lm_prob": 0.0},
    "all masked": {"masked_lm_prob": 1.0, "max_predictions_per_seq": 128},
    "room for more masks than tokens": {
        "max_seq_length": 16,
        "max_predictions_per_seq": 40,
    },
    "one document": {"input_file": "one"},
    "simplified": {"t2s": True},
}


@pytest.mark.parametrize("name", FLAGS)
def test_records_are_those_of_the_plain_algorithm(tmp_path, name):
    flags = dict(FLAGS[name])
    if flags.get("input_file") == "one":
        lines = [x for x in project.sample_lines() if x.strip()]
        (tmp_path / "one.txt").write_text("\n".join(lines), encoding="utf-8")
        flags["input_file"] = str(tmp_path / "one.txt")
    settings = built.make_config(tmp_path, **flags)
    got = built.run(tmp_path, **flags)
    assert got == built.expected(settings)
    assert len(got[0]) > 20


def test_records_go_round_robin_over_the_output_files(tmp_path):
    outputs = [str(tmp_path / "made" / name) for name in "abc"]
    settings = built.make_config(tmp_path, output_file=", ".join(outputs))
    got = built.run(tmp_path, output_file=settings.output_file)
    assert got == built.expected(settings)
    assert len(got) == 3
    manifest = json.loads(
        pathlib.Path(outputs[0] + ".manifest.json").read_text()
    )
    for path, records in zip(outputs, got, strict=True):
        entry = manifest["files"][pathlib.Path(path).name]
        assert entry["num_records"] == len(records)
        assert entry["num_bytes"] == pathlib.Path(path).stat().st_size


def test_there_may_be_more_output_files_than_records(tmp_path):
    (tmp_path / "a.txt").write_text("天。\n地。\n")
    flags = {
        "input_file": str(tmp_path / "a.txt"),
        "output_file": ",".join(str(tmp_path / name) for name in "xyz"),
        "dupe_factor": 1,
    }
    got = built.run(tmp_path, **flags)
    assert got == built.expected(built.make_config(tmp_path, **flags))
    assert got[2] == []


def test_a_document_may_go_on_in_the_next_file(tmp_path):
    (tmp_path / "a.txt").write_text("山水。\n我們。\n\n天地。\n雨。\n")
    (tmp_path / "b.txt").write_text("風。\n\n\n \n日月。\n雲。\n星。")
    flags = {
        "input_file": f"{tmp_path}/a.txt,{tmp_path}/b.txt",
        "dupe_factor": 20,
        "max_seq_length": 12,
    }
    settings = built.make_config(tmp_path, **flags)
    assert built.run(tmp_path, **flags) == built.expected(settings)
    manifest = build.build(settings)
    assert manifest.statistics["num_documents"] == 3
    assert manifest.statistics["num_sentences"] == 8


def test_lines_without_tokens_are_left_out_and_end_no_document(tmp_path):
    text = (
        "天。\r\n\ufeff\n地。\n\0\n\u3000\n山。\n\ufffd\n\x0b\n水。\u2028火。\n"
    )
    (tmp_path / "a.txt").write_bytes(text.encode())
    flags = {"input_file": str(tmp_path / "a.txt"), "dupe_factor": 30}
    settings = built.make_config(tmp_path, **flags)
    assert built.run(tmp_path, **flags) == built.expected(settings)
    manifest = build.build(settings)
    assert manifest.statistics["num_documents"] == 3


def test_packed_text_and_packed_records_are_the_same_text_and_records(tmp_path):
    packed = []
    for path in map(pathlib.Path, project.SAMPLES):
        packed.append(tmp_path / f"{path.parent.name}_{path.name}.gz")
        packed[-1].write_bytes(gzip.compress(path.read_bytes()))
    plain = built.run(tmp_path)
    flags = {
        "input_file": ",".join(map(str, packed)),
        "output_file": str(tmp_path / "packed"),
        "gzip_compress": True,
    }
    assert built.run(tmp_path, **flags) == plain
    first = (tmp_path / "packed").read_bytes()
    assert first[:2] == b"\x1f\x8b"
    (tmp_path / "packed").unlink()
    built.run(tmp_path, **flags)
    assert (tmp_path / "packed").read_bytes() == first


def test_the_same_seed_makes_the_same_bytes_and_another_others(tmp_path):
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        built.run(tmp_path, output_file=f"{tmp_path}/{name}", random_seed=seed)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c


def test_the_records_do_not_depend_on_where_chunks_of_text_end(
    tmp_path, monkeypatch
):
    wanted = built.run(tmp_path, t2s=True)
    whole = corpus.read_chunks
    for chunk_bytes in (7, 1000):
        monkeypatch.setattr(
            documents.corpus_files,
            "read_chunks",
            lambda path, digest=None, n=chunk_bytes, **part: whole(
                path, digest, n, **part
            ),
        )
        name = f"{tmp_path}/{chunk_bytes}"
        assert built.run(tmp_path, t2s=True, output_file=name) == wanted


def test_the_summary_counts_what_was_written(tmp_path, capsys):
    settings = built.make_config(tmp_path)
    counts = build.build(settings).statistics
    (records,) = built.expected(settings)
    tokens = [sum(record["input_mask"]) for record in records]
    masks = sum(sum(record["masked_lm_weights"]) for record in records)
    random_next = sum(record["next_sentence_labels"][0] for record in records)
    assert counts["num_masks"] == masks
    sentences = sum(1 for line in project.sample_lines() if line.strip())
    assert counts["num_records"] == len(records)
    assert counts["num_sentences"] == sentences
    assert counts["mean_tokens"] == pytest.approx(sum(tokens) / len(records))
    padding = 1 - sum(tokens) / len(records) / 128
    assert counts["padding_rate"] == pytest.approx(padding)
    assert counts["masked_rate"] == pytest.approx(masks / sum(tokens))
    share = random_next / len(records)
    assert counts["random_next_rate"] == pytest.approx(share)
    said = capsys.readouterr().out
    assert f"{len(records):,}" in said
    assert "peak memory" in said and "MB/s" in said


GOLDEN = {
    "traditional": (
        ["zh_traditional"],
        "zh",
        {"dupe_factor": 2},
        54223,
        "38f30af26e87fcbb0fcdaa4968fefa04f81cf91b4693c1d65101fbedcabfe478",
    ),
    "whole words": (
        ["en"],
        "en",
        {"do_whole_word_mask": True, "dupe_factor": 1, "random_seed": 1},
        29995,
        "ef314968662a4b32e46e3ddd53155b95da217a2ebacdf12a67e2ff093c730d1c",
    ),
    "long and cased": (
        ["zh_traditional"],
        "zh",
        {
            "do_lower_case": False,
            "max_seq_length": 512,
            "max_predictions_per_seq": 77,
            "short_seq_prob": 0.3,
            "masked_lm_prob": 0.2,
            "random_seed": 99,
            "dupe_factor": 3,
        },
        42486,
        "7da3c6a385301a8d0db5c8f282db7fa133d20ea1a465237f6fc82e64df9f18e4",
    ),
    "two files in, two out": (
        ["zh_traditional", "en"],
        "zh",
        {"dupe_factor": 1},
        70203,
        "7769782c1f91d67fa0f9cd0742ea6f536524b01c276d65a321bb4dbd62ee7a1c",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", GOLDEN)
def test_records_are_those_that_google_researchs_own_code_wrote(tmp_path, name):
    corpora, language, flags, num_records, sha256 = GOLDEN[name]
    folder = project.shared() / "data"
    settings = built.make_config(
        tmp_path,
        input_file=",".join(f"{folder}/corpus_{x}.txt.gz" for x in corpora),
        output_file=",".join(f"{tmp_path}/{x}" for x in corpora),
        vocab_file=project.vocabulary(language),
        **flags,
    )
    build.build(settings)
    assert built.digest(settings.output_paths) == (num_records, sha256)


@pytest.mark.parametrize("is_packed", [False, True])
def test_remote_paths_give_the_same_records(tmp_path, is_packed):
    flags = {"gzip_compress": is_packed}
    (tmp_path / "local").mkdir()
    built.run(tmp_path / "local", **flags)
    remote = "file://" + str(tmp_path / "remote")
    config = built.make_config(
        tmp_path / "local",
        input_file=",".join(f"file://{path}" for path in project.SAMPLES),
        output_file=f"{remote}/records",
        vocab_file=f"file://{tmp_path}/local/vocab.txt",
        **flags,
    )
    build.build(config)
    assert build.build(config).files.keys() == {"records"}
    assert sorted(p.name for p in (tmp_path / "remote").iterdir()) == [
        "records",
        "records.manifest.json",
    ]
    assert (tmp_path / "remote/records").read_bytes() == (
        tmp_path / "local/records"
    ).read_bytes()
