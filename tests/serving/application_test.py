"""The interface, on small trained models: answers, bounds and refusals."""

import asyncio
import base64
import concurrent.futures
import dataclasses
import json

import numpy as np
import pytest

from tests.serving import served

served.skip_without_server()

import httpx  # noqa: E402

from finetuning.answering import Answerer  # noqa: E402
from finetuning.pretrained import Pretrained  # noqa: E402
from serving import application  # noqa: E402
from serving.service import Service  # noqa: E402

TEXTS = served.TEXTS


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return served.write(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def service(path):
    service = Service(served.config(path, max_inputs=8, max_characters=200))
    asyncio.run(service.start())
    yield service
    service.stop()


def ask(service, address, body=None, keys=(), **options):
    """Returns the answer to a request: GET without a body, else POST."""

    async def run():
        transport = httpx.ASGITransport(application.make(service, keys))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost"
        ) as client:
            if body is None and "content" not in options:
                return await client.get(address, **options)
            return await client.post(address, json=body, **options)

    return asyncio.run(run())


def refusal(answer, status):
    """Returns the message of a refusal, which has OpenAI's form."""
    assert answer.status_code == status, answer.text
    (error,) = answer.json().values()
    assert set(error) == {"message", "type", "param", "code"}
    assert "\n" not in error["message"]
    return error["message"]


def test_answers_are_those_of_the_tool_alone_and_in_any_company(service, path):
    answerer = Answerer.load(str(path / "classes"))
    wanted = list(answerer.answer(TEXTS))
    body = {"model": "classes", "inputs": TEXTS}
    assert ask(service, "/v1/predict", body).json()["answers"] == wanted
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = pool.map(
            lambda text: ask(service, "/v1/predict", body | {"inputs": [text]}),
            TEXTS * 6,
        )
        assert [x.json()["answers"][0] for x in found] == wanted * 6


@pytest.mark.parametrize(
    "asked",
    [
        {"question": "w9 w8", "context": "w1 w2 w3"},
        ["w9 w8", "w1 w2 w3"],
        {"text_a": "w9 w8", "text_b": "w1\tw2\nw3"},
        "w9 w8\tw1 w2 w3",
    ],
)
def test_a_question_may_be_asked_in_every_form(service, path, asked):
    wanted = list(
        Answerer.load(str(path / "answers")).answer(["w9 w8\tw1 w2 w3"])
    )
    body = {"model": "answers", "inputs": [asked]}
    assert ask(service, "/v1/predict", body).json()["answers"] == wanted


def test_vectors_are_those_of_the_api_and_in_both_forms(service, path):
    encoder = Pretrained(str(path / "encoder"), max_seq_length=16)
    wanted = encoder.vectors(TEXTS, pooling="max", layers="-1,-2")
    body = {"input": TEXTS, "pooling": "max", "layers": [-1, -2]}
    body |= {"normalize": False}
    answer = ask(service, "/v1/embeddings", body).json()
    found = np.array([x["embedding"] for x in answer["data"]], np.float32)
    np.testing.assert_array_equal(found, wanted)
    assert answer["usage"]["total_tokens"] == 3 + 2 + 4 + 1 + 2 * 4
    body |= {"encoding_format": "base64"}
    answer = ask(service, "/v1/embeddings", body).json()
    for one, vector in zip(answer["data"], wanted, strict=True):
        data = base64.b64decode(one["embedding"])
        np.testing.assert_array_equal(np.frombuffer(data, "<f4"), vector)
    vectors = ask(service, "/v1/embeddings", {"input": "w1"}).json()["data"]
    assert np.linalg.norm(vectors[0]["embedding"]) == pytest.approx(1, abs=1e-6)


def test_masks_are_filled_with_their_places(service, path):
    texts = ["w1 [MASK] w3", "【？】w2 【?】"]
    body = {"inputs": texts, "top_k": 3}
    answers = ask(service, "/v1/fill-mask", body).json()["answers"]
    encoder = Pretrained(str(path / "encoder"), max_seq_length=16)
    assert answers == encoder.fill(texts, top_k=3)
    assert [[x["position"] for x in one] for one in answers] == [[3], [0, 6]]
    scores = [x["score"] for x in answers[0][0]["words"]]
    assert len(scores) == 3 and scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    ("address", "body", "status", "words"),
    [
        ("predict", {"inputs": ["w1"]}, 400, "name one as model"),
        ("predict", {"inputs": ["w1"], "model": "/etc"}, 404, "no such model"),
        ("predict", {"inputs": ["w"], "model": "encoder"}, 400, "cannot do"),
        ("predict", {"inputs": [], "model": "classes"}, 400, "inputs"),
        ("predict", {"inputs": "w1", "model": "classes"}, 400, "inputs"),
        ("predict", {"inputs": [1], "model": "classes"}, 400, "inputs"),
        ("predict", {"inputs": [["a", "b"]], "model": "classes"}, 400, "has 2"),
        ("predict", {"inputs": ["a"], "model": "answers"}, 400, "has 1"),
        ("predict", {"inputs": ["\ta"], "model": "answers"}, 200, ""),
        ("predict", {"inputs": ["a\t "], "model": "answers"}, 400, "no text"),
        ("predict", {"inputs": ["w"] * 9, "model": "classes"}, 400, "9 entri"),
        ("predict", {"inputs": ["w" * 201], "model": "classes"}, 400, "200"),
        ("predict", {"inputs": ["w"], "modle": "classes"}, 400, "modle"),
        ("embeddings", {"input": [1, 2]}, 400, "input"),
        ("embeddings", {"input": "w1 " * 20}, 400, "truncate"),
        ("embeddings", {"input": "w1 " * 20, "truncate": True}, 200, ""),
        ("embeddings", {"input": "w", "dimensions": 7}, 400, "32 dimensions"),
        ("embeddings", {"input": "w", "layers": "9"}, 400, "--layers=9"),
        ("embeddings", {"input": "w", "pooling": "sum"}, 400, "pooling"),
        ("fill-mask", {"inputs": ["w1"]}, 400, "has 0 masks"),
        ("fill-mask", {"inputs": ["[MASK]" * 17]}, 400, "has 17 masks"),
        ("fill-mask", {"inputs": ["[MASK]"], "top_k": 101}, 400, "top_k"),
    ],
)
def test_a_wrong_request_is_told_in_a_line(
    service, address, body, status, words
):
    answer = ask(service, f"/v1/{address}", body)
    if status == 200:
        assert answer.status_code == 200
    else:
        assert words in refusal(answer, status)


def test_broken_bodies_are_refused(service):
    kind = {"Content-Type": "application/json"}
    for content, status in (
        (b"{", 400),
        (b"[" * 100_000, 400),
        (b'{"inputs": ' + b"9" * 5000 + b"}", 400),
        (b" " * (service.config.max_body_bytes + 1), 413),
    ):
        answer = ask(service, "/v1/predict", content=content, headers=kind)
        refusal(answer, status)
    # Half of a pair of surrogates is text that tools.predict reads, too.
    half = b'{"inputs": ["\\ud800 w1"], "model": "classes"}'
    answer = ask(service, "/v1/predict", content=half, headers=kind)
    assert answer.status_code == 200
    refusal(ask(service, "/v1/predict", content=b"{}"), 415)
    refusal(ask(service, "/v1/nothing"), 404)
    refusal(ask(service, "/v1/predict"), 405)
    refusal(ask(service, "/..%2f..%2fsetup.cfg"), 404)


def test_a_key_is_asked_for_and_no_other_host_answered(service):
    keys = ("a key", "钥匙")
    assert ask(service, "/healthz", keys=keys).status_code == 200
    for bearer in (None, "Bearer wrong", "Basic a key", "a key"):
        headers = {"Authorization": bearer} if bearer else {}
        answer = ask(service, "/v1/models", keys=keys, headers=headers)
        refusal(answer, 401)
    for key in keys:
        headers = {"Authorization": f"Bearer {key}".encode()}
        answer = ask(service, "/v1/models", keys=keys, headers=headers)
        assert answer.status_code == 200
    answer = ask(service, "/v1/models", headers={"Host": "evil.example"})
    refusal(answer, 421)


def test_states_counts_headers_and_pages(service, path):
    models = ask(service, "/v1/models").json()["data"]
    assert [x["kind"] for x in models] == ["labels", "answers", "encoder"]
    assert models[0]["labels"] == ["a", "b"]
    shape = json.loads((path / "bert.json").read_text())
    layers = models[0]["card"]["shape"]["layers"]
    assert layers == shape["num_hidden_layers"]
    assert str(path) not in json.dumps(models)
    text = ask(service, "/metrics").text
    assert 'hanlin_requests_total{path="/v1/models",status="200"}' in text
    for place in ("/dom.js", "/nothing.js"):
        ask(service, place)
    text = ask(service, "/metrics").text
    assert 'path="/dom.js",status="200"' in text
    assert 'path="other",status="404"' in text and "nothing" not in text
    answer = ask(service, "/docs")
    assert "/v1/embeddings" in answer.text and "//cdn" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    document = ask(service, "/openapi.json").json()
    assert set(document["paths"]) >= {"/v1/predict", "/v1/fill-mask"}


def test_before_it_is_ready_and_at_its_end_it_says_so(path):
    service = Service(served.config(path))
    for changes in ({}, {"is_ready": True, "is_draining": True}):
        for name, value in changes.items():
            setattr(service, name, value)
        refusal(ask(service, "/readyz"), 503)
        assert ask(service, "/healthz").status_code == 200
        answer = ask(service, "/v1/predict", {"inputs": ["w1"]})
        refusal(answer, 503)
        assert answer.headers["retry-after"]
    service.stop()


def test_too_much_and_too_slow_are_told(service):
    config = service.config
    try:
        service.config = dataclasses.replace(config, deadline_secs=1e-9)
        body = {"model": "classes", "inputs": ["w1"]}
        refusal(ask(service, "/v1/embeddings", {"input": "w1"}), 504)
    finally:
        service.config = config
    assert ask(service, "/v1/predict", body).status_code == 200
