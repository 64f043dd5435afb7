"""Thousands of requests that nobody wrote: schemathesis reads /openapi.json.

It draws bodies that the interface describes and bodies that it does not, with
headers and methods of its own. Whatever comes is answered, by what the
interface says of answers, and never by an error of the server.
"""

import collections

import pytest

from tests.serving import served

served.skip_without_server()
schemathesis = pytest.importorskip(
    "schemathesis", reason="the extra dev is not installed"
)
hypothesis = pytest.importorskip("hypothesis")

pytestmark = pytest.mark.slow
_NUM_EXAMPLES = 400
_TIMEOUT_SECS = 30
# Which of its models each address is asked for, where a request is not to be
# wrong by its model already.
_MODELS = {
    "/v1/predict": "classes",
    "/v1/embeddings": "encoder",
    "/v1/fill-mask": "encoder",
}


@pytest.fixture(name="address", scope="module")
def start_server(tmp_path_factory):
    path = served.write(tmp_path_factory.mktemp("schema"))
    with served.started(
        f"--model_dir={path / 'classes'},{path / 'answers'},{path / 'encoder'}",
        "--max_seq_length=16",
    ) as (address, process):
        yield address
        # Nothing of all this ended it or left it deaf.
        assert process.poll() is None
        assert served.status(f"{address}/readyz") == 200


def _make_likely(case):
    """Lets a body ask for something that can be answered."""
    body = case.body
    body["model"] = _MODELS[case.path]
    if case.path == "/v1/fill-mask":
        texts = body["inputs"]
        texts = [texts] if isinstance(texts, str) else texts
        body["inputs"] = [f"{text}[MASK]" for text in texts]


@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_no_request_breaks_the_server(address, mode):
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    generation = schemathesis.GenerationMode(mode)
    openapi = schemathesis.specs.openapi.checks
    checks = [
        openapi.response_schema_conformance,
        openapi.status_code_conformance,
        openapi.content_type_conformance,
    ]
    counts = collections.Counter()
    for path in _MODELS:
        strategy = schema[path]["POST"].as_strategy(generation_mode=generation)

        @hypothesis.settings(
            max_examples=_NUM_EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(case=strategy)
        def ask(case):
            if mode == "positive":
                _make_likely(case)
            answer = case.call(timeout=_TIMEOUT_SECS)
            counts[case.path, answer.status_code] += 1
            assert answer.status_code < 500, case.as_curl_command()
            case.validate_response(answer, checks=checks)

        ask()
    print(mode, dict(counts))
    for path in _MODELS:
        of_path = [n for (asked, _), n in counts.items() if asked == path]
        assert sum(of_path) >= 300, counts
        if mode == "positive":
            assert counts[path, 200] >= 20, counts
        else:
            assert not counts[path, 200], counts
