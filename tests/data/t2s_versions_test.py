"""Simplified text stays simplified, whatever OpenCC is installed."""

import importlib.metadata
import sys
import types

import pytest

from data.building import build, made_from, worker
from tests.data import built
from text import t2s, vocab

# What t2s changes of the 6,763 characters of GB2312, which are simplified ones
# but for those: by OpenCC 1.1.9 to 1.3.1, and by 1.4.1 and 1.4.2.
_ALWAYS = set("乾菸薹捱摺吒後徵夥榘於麴醣麽")
_BEFORE_1_3_2, _FROM_1_3_2 = _ALWAYS | set("甯"), _ALWAYS | set("拚袷")


def characters_of_gb2312():
    for first in range(0xB0, 0xF8):
        for second in range(0xA1, 0xFF):
            try:
                yield bytes([first, second]).decode("gb2312")
            except UnicodeDecodeError:
                continue


def test_what_is_simplified_stays_but_for_a_few_known_characters():
    characters = list(characters_of_gb2312())
    assert len(characters) == 6763
    simplified = t2s.to_simplified("\n".join(characters)).split("\n")
    pairs = zip(characters, simplified, strict=True)
    changed = {before for before, after in pairs if before != after}
    number = tuple(map(int, importlib.metadata.version("opencc").split(".")))
    is_new = number >= (1, 3, 2)
    assert (len(_BEFORE_1_3_2), len(_FROM_1_3_2)) == (15, 16)
    assert changed == (_FROM_1_3_2 if is_new else _BEFORE_1_3_2)
    assert t2s.to_simplified("坏人破坏环境") == "坏人破坏环境"


@pytest.fixture
def install(monkeypatch):
    """Lets another OpenCC be installed: a converter by its name."""

    def pretend(version, convert):
        converter = types.SimpleNamespace(convert=convert)
        package = types.SimpleNamespace(OpenCC=lambda name: converter)
        monkeypatch.setitem(sys.modules, "opencc", package)
        real = importlib.metadata.version
        monkeypatch.setattr(
            importlib.metadata,
            "version",
            lambda name: version if name == "opencc" else real(name),
        )
        t2s._converter.cache_clear()

    yield pretend
    t2s._converter.cache_clear()


def spoil(text):
    return text.replace("坏", "坯")


def test_a_version_that_spoils_simplified_text_is_refused(install):
    install("1.4.0", spoil)
    for convert in (t2s.to_simplified, t2s.to_simplified_in_place):
        with pytest.raises(ValueError, match="OpenCC 1.4.0 turns 坏") as caught:
            convert("天")
        assert "!=1.4.0" in str(caught.value)


def test_a_build_with_it_is_refused_and_leaves_nothing(tmp_path, install):
    install("1.3.2", spoil)
    settings = built.make_config(tmp_path, t2s=True, dupe_factor=1)
    with pytest.raises(ValueError, match="OpenCC 1.3.2 turns 坏"):
        build.build(settings)
    assert [path.name for path in tmp_path.iterdir()] == ["vocab.txt"]


def test_a_version_that_nobody_knows_is_one_of_its_own(monkeypatch):
    def unknown(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", unknown)
    assert t2s.version() == "OpenCC of an unknown version"


def test_a_build_does_not_go_on_with_another_version(tmp_path, install):
    flags = {"t2s": True, "dupe_factor": 1}
    here = f"OpenCC {importlib.metadata.version('opencc')}"
    found = built.build_only(tmp_path, **flags)
    assert found.made_from.flags["t2s"] == here
    before = (tmp_path / "records").read_bytes()
    assert built.build_only(tmp_path, **flags) == found  # Already built.
    install("1.0.0", lambda text: text)
    words = f"was made with --t2s={here}, not OpenCC 1.0.0; .*--overwrite"
    with pytest.raises(FileExistsError, match=words):
        built.build_only(tmp_path, **flags)
    assert (tmp_path / "records").read_bytes() == before


def test_without_t2s_no_version_counts(tmp_path, install):
    found = built.build_only(tmp_path, dupe_factor=1)
    assert found.made_from.flags["t2s"] is False
    install("1.0.0", spoil)
    assert built.build_only(tmp_path, dupe_factor=1) == found


@pytest.mark.parametrize("flag", ["t2s", "word_segmenter"])
def test_a_worker_with_another_version_builds_no_shard(
    tmp_path, monkeypatch, flag
):
    settings = built.make_config(
        tmp_path, t2s=True, do_whole_word_mask=True, word_segmenter="jieba"
    )
    vocabulary = vocab.load(settings.vocab_file)
    described = made_from.describe(settings, vocabulary)
    made_from.check_versions(described, settings, vocabulary)
    wanted = described.flags[flag]
    assert any(character.isdigit() for character in wanted)
    real = importlib.metadata.version
    package = {"t2s": "opencc", "word_segmenter": "jieba"}[flag]
    monkeypatch.setattr(
        importlib.metadata,
        "version",
        lambda name: "0.0.7" if name == package else real(name),
    )
    words = f"--{flag}: this worker has \\S+ 0.0.7, the build {wanted}; "
    work = worker.Work(settings, vocabulary, described)
    job = worker.Job(None, (str(tmp_path / "part"),), str(tmp_path / "entry"))
    with pytest.raises(ValueError, match=words):
        work.build_shard(job, None)
    assert [path.name for path in tmp_path.iterdir()] == ["vocab.txt"]
