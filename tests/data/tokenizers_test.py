"""Records of each kind of tokenizer: sound, as published, the same again."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf

from data import manifest
from data.building import build
from data.feeding import dynamic_masking, dynamic_rows
from tests import albert_text, google_reference, project, roberta_text
from tests.data import built
from tools import inspect_records
from tools.inspection import inspecting

FEW = {"max_seq_length": 64, "max_predictions_per_seq": 12, "dupe_factor": 1}


class SentencePiece:
    """Flags that name a model, and its tokens by the library itself."""

    name = "sentencepiece"
    specials = ("[CLS]", "[SEP]")
    layout = google_reference.Layout()

    def __init__(self, directory):
        data = albert_text.sample_model()
        self.flags = {
            "vocab_file": None,
            "spm_model_file": albert_text.write_model(directory, data),
        }
        self._plain = albert_text.FullTokenizer(data)
        model = self._plain._model
        rows = map(model.id_to_piece, range(model.get_piece_size()))
        self.vocab = {row: index for index, row in enumerate(rows)}
        self.goes_on = lambda token: not albert_text.is_start(token)

    def tokenize(self, line):
        pieces = self._plain.pieces(line)
        return [piece if piece in self.vocab else "<unk>" for piece in pieces]


class First(str):
    """The first token of a line, which begins a word whatever it is."""


class BytePairs:
    """As `SentencePiece`."""

    name = "byte_pairs"
    specials = ("<s>", "</s>")
    layout = google_reference.Layout("<s>", ("</s>", "</s>"), "<mask>", 0, 1)

    def __init__(self, directory):
        folder = roberta_text.write_model(directory)
        self.flags = {
            "vocab_file": None,
            "tokenizer": folder,
            "do_lower_case": False,
        }
        self._plain = roberta_text.plain(folder)
        self.vocab = self._plain.get_vocab()
        self.vocab = dict(sorted(self.vocab.items(), key=lambda x: x[1]))

    def goes_on(self, token):
        return not token.startswith("Ġ") and not isinstance(token, First)

    def tokenize(self, line):
        tokens = self._plain.encode(line.strip()).tokens
        return [*map(First, tokens[:1]), *tokens[1:]]


KINDS = [SentencePiece, BytePairs]


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.name)
def kind(request, tmp_path_factory):
    return request.param(tmp_path_factory.mktemp(request.param.name))


def expected(settings, kind):
    """What the plain algorithm makes of the tokens of the kind."""
    args = google_reference.arguments([])
    for name in vars(args):
        if hasattr(settings, name):
            setattr(args, name, getattr(settings, name))
    args.goes_on = kind.goes_on
    args.layout = kind.layout
    paths = settings.input_file.split(",")
    documents = google_reference.read_documents(paths, kind)
    return list(google_reference.records_of(documents, kind.vocab, args))


@pytest.mark.parametrize("do_whole_word_mask", [False, True])
def test_records_are_those_of_the_published_algorithm(
    tmp_path, kind, do_whole_word_mask
):
    flags = FEW | kind.flags
    flags["do_whole_word_mask"] = do_whole_word_mask
    (records,) = built.run(tmp_path, **flags)
    wanted = expected(built.make_config(tmp_path, **flags), kind)
    assert len(records) == len(wanted) > 300
    differing = [
        (number, name)
        for number, (got, record) in enumerate(
            zip(records, wanted, strict=True)
        )
        for name in built.NAMES
        if got[name] != record[name]
    ]
    assert not differing, (len(differing), differing[:5])


@pytest.mark.parametrize("masking", ["static", "dynamic"])
def test_bytes_do_not_depend_on_the_number_of_workers(tmp_path, kind, masking):
    made = []
    text = tmp_path / "text.txt"
    text.write_text("\n".join(project.sample_lines()) * 25, encoding="utf-8")
    for workers in (1, 3):
        folder = tmp_path / str(workers)
        folder.mkdir()
        settings = built.make_config(
            tmp_path,
            output_file=str(folder / "records"),
            input_file=str(text),
            shard_megabytes=1,
            num_workers=workers,
            masking=masking,
            **FEW | kind.flags,
        )
        assert len(build.build(settings).shards) > 1
        made.append({p.name: p.read_bytes() for p in folder.iterdir()})
    assert made[0] == made[1]


@pytest.mark.parametrize("masking", ["static", "dynamic"])
def test_the_inspector_finds_the_records_sound(tmp_path, kind, masking):
    made = built.build_only(
        tmp_path, masking=masking, do_whole_word_mask=True, **FEW | kind.flags
    )
    flags = {k: x for k, x in kind.flags.items() if k != "do_lower_case"}
    config = inspect_records.InspectConfig(
        html=str(tmp_path / "page.html"), **flags
    )
    inspection = inspecting.inspect([str(tmp_path / "records")], config)
    # A word may be too long for the budget of a row.
    assert inspection.found.counts.keys() <= {"no masks"}
    assert inspection.found.counts["no masks"] < 5
    assert inspection.statistics.num_records == made.statistics["num_records"]
    assert inspecting.run([str(tmp_path / "records")], config)
    page = pathlib.Path(config.html).read_text()
    row = max(kind.vocab, key=lambda row: row.isascii() and len(row))
    assert row in kind.vocab and "MASK" in page or masking == "dynamic"


def test_the_manifest_names_the_tokenizer_and_its_file(tmp_path, kind):
    made = built.build_only(tmp_path, **FEW | kind.flags)
    said = made.made_from.flags["tokenizer"]
    assert said.startswith(kind.name)
    assert made.vocab_size == len(kind.vocab)
    assert made == manifest.read(str(tmp_path / "records.manifest.json"))
    # The same flags again build nothing; another vocabulary is refused.
    before = (tmp_path / "records").stat().st_mtime_ns
    built.build_only(tmp_path, **FEW | kind.flags)
    assert (tmp_path / "records").stat().st_mtime_ns == before
    with pytest.raises(FileExistsError, match="was made with"):
        built.build_only(tmp_path, **FEW)


def test_dynamic_masks_hide_whole_words(tmp_path, kind):
    flags = FEW | kind.flags | {"masking": "dynamic", "masked_lm_prob": 0.3}
    made = built.build_only(tmp_path, **flags)
    config = built.make_config(tmp_path, do_whole_word_mask=True, **flags)
    parse = dynamic_masking.parse_fn(
        config, max_seq_length=64, manifest=made, seed=1
    )
    records = tf.stack(
        list(tf.data.TFRecordDataset(str(tmp_path / "records")))[:200]
    )
    rows = {
        name: value.numpy()
        for name, value in parse(tf.range(200, dtype=tf.int64), records).items()
    }
    names = list(kind.vocab)
    word_starts = dynamic_rows.parse(records, 64).word_starts.numpy()
    num_long = num_unsaid = 0
    for row in range(200):
        count = int(rows["masked_lm_weights"][row].sum())
        places = rows["masked_lm_positions"][row, :count]
        text = rows["input_ids"][row].copy()
        text[places] = rows["masked_lm_ids"][row, :count]
        num_tokens = rows["input_mask"][row].sum()
        tokens = [names[i] for i in text[:num_tokens]]
        starts = word_starts[row, :num_tokens]
        # Beside what the tokens say, words begin where lines do.
        says = np.array([not kind.goes_on(token) for token in tokens])
        assert np.all(starts | ~says)
        num_unsaid += np.sum(starts & ~says)
        for word in words_of(tokens, starts, kind):
            masked = set(places) & set(word)
            assert not masked or len(masked) == len(word)
            num_long += len(masked) > 1
        assert np.all(text[num_tokens:] == kind.layout.padding)
    assert num_long > 50 and num_unsaid < 0.1 * rows["input_mask"].sum()


def words_of(tokens, starts, kind):
    """The positions of each word between the special tokens."""
    word = []
    for place, token in enumerate(tokens):
        is_special = token in kind.specials
        if word and (is_special or starts[place]):
            yield word
            word = []
        if not is_special:
            # The first token of a segment begins a word.
            word.append(place)
