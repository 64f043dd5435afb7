"""What a run says of itself and is told by its surroundings, nearly right.

Held of metrics.jsonl, settings.json and its like, and TF_CONFIG: they are read,
left out with a word, or refused by their names; and within seconds.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz import held, near
from tests.fuzz.held import examples, put
from text import case
from training import curves, metrics_file, run_settings, strategy

pytestmark = pytest.mark.slow

NUM_METRICS = 250
NUM_CASES = 60
NUM_CLUSTERS = 200

_ROW = {"step": 3, "loss": 0.5, "eval_f1": 1.0}


@examples(NUM_METRICS)
@given(near.json_lines(_ROW), st.integers(-1, 5))
def test_metrics_are_read_and_cut(tmp_path, data, step):
    path = put(tmp_path, metrics_file.NAME, data)
    found = held.read(lambda: metrics_file.rows(path), path)
    lines = [x for x in data.split(b"\n") if x.strip()]
    said = sum(int(x.split(" lines")[0].split()[-1]) for x in found.warnings)
    assert len(found.value) + said == len(lines)
    for name in ("loss", "eval_f1"):
        _, values = curves.series(found.value, name)
        held.read(lambda values=values: [float(x) for x in values], path)
    held.read(lambda: metrics_file.cut_after(path, step), path)
    left = held.read(lambda: metrics_file.rows(path), path)
    last = held.read(lambda: metrics_file.cut_after(path, step), path)
    assert last.value == (left.value[-1]["step"] if left.value else None)


@examples(NUM_CASES)
@given(
    near.json_bytes(
        {
            "do_lower_case": False,
            "config": {"do_lower_case": True, "lowercase": False},
            "normalizer": {"lowercase": True},
        }
    ),
    st.sampled_from(
        ("tokenizer_config.json", "settings.json", "tokenizer.json")
    ),
)
def test_what_a_model_says_of_its_case_is_read(tmp_path_factory, data, name):
    folder = tmp_path_factory.mktemp("case")
    path = put(folder, name, data)
    found = held.read(lambda: case.find([path]), path)
    assert found.value[0] in (True, False, None)
    held.read(lambda: run_settings.read(str(folder)), path)


@examples(NUM_CLUSTERS)
@given(
    near.json_bytes(
        {
            "cluster": {"worker": ["a:1", "b:2"], "chief": ["c:3"]},
            "task": {"type": "worker", "index": 1},
        }
    )
)
def test_a_cluster_is_read_or_refused(tmp_path, data):
    text = data.decode("utf-8", "surrogateescape").replace("\0", "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TF_CONFIG", text)
        # What TensorFlow reads before it asks the others.
        import tensorflow as tf

        resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver

        def begin():
            found = resolver()
            spec = found.cluster_spec().as_dict()
            return spec[found.task_type][found.task_id]

        patch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", begin)
        held.read(strategy.create, "TF_CONFIG")
