"""What the peers' recipes are fed with and judged by."""

import time

import numpy as np
import pytest

from benchmarks import recipe_peers
from data import manifest
from tests.data import built

_LENGTH, _PREDICTIONS = 32, 5


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """Settings with records to train on, and others to be judged by."""
    paths = {}
    for masking in ("dynamic", "static"):
        path = tmp_path_factory.mktemp(masking)
        built.build_only(
            path,
            masking=masking,
            pair_task="none",
            max_seq_length=_LENGTH,
            max_predictions_per_seq=_PREDICTIONS,
        )
        paths[masking] = str(path / "records")
    return recipe_peers.PeersConfig(
        peer="run_mlm",
        bert_config_file="unread",
        input_file=paths["dynamic"],
        eval_input_file=paths["static"],
    )


def test_only_full_rows_are_trained_on(config):
    rows = recipe_peers._rows(config.input_file, _LENGTH)
    assert rows.shape[1] == _LENGTH and rows.dtype == np.int32
    assert (rows != 0).all()
    # [CLS] and [SEP] are where records have them.
    found = manifest.find(config.input_file)
    assert len(rows) < found.files["records"].num_records
    assert len({*rows[:, 0]}) == len({*rows[:, -1]}) == 1


def test_a_guesser_is_judged_as_one(config, capsys):
    heldout = recipe_peers._heldout(config.eval_input_file)
    judge = recipe_peers._Judge(config, heldout)
    num_words, label = 50, heldout["masked_lm_ids"][0, 0]

    def log_probabilities(given):
        assert given is heldout
        end = time.process_time() + 0.2
        while time.process_time() < end:
            pass
        places = heldout["masked_lm_positions"].shape
        return np.full((*places, 10_000), -np.log(num_words))

    before = judge.seconds
    judge.look(7, log_probabilities)
    # The time that it takes is no training's.
    assert judge.seconds - before < 0.15
    printed = capsys.readouterr().out
    assert "run_mlm step 7 " in printed
    assert f"masked_lm_loss {np.log(num_words):.3f}" in printed
    assert label > 0 and "accuracy 0.000" in printed


def test_masks_are_those_of_hugging_face():
    rng = np.random.default_rng(1)
    words = rng.integers(0, 1000, (400, 500))
    masked, labels = recipe_peers._mask(rng, words, (7, [0, 1, 7], 1000))
    chosen = labels != recipe_peers._IGNORED
    assert (labels[chosen] == words[chosen]).all()
    assert not np.isin(words[chosen], [0, 1, 7]).any()
    assert (masked[~chosen] == words[~chosen]).all()
    assert chosen.mean() == pytest.approx(0.15, abs=0.01)
    assert (masked[chosen] == 7).mean() == pytest.approx(0.8, abs=0.01)
    kept = (masked == words)[chosen].mean()
    assert kept == pytest.approx(0.1, abs=0.01)
