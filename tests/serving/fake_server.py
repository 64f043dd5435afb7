"""A server with the interface of tools.serve whose answers are known.

It has a model of each kind, under the policy that allows a page nothing but its
own files. What it answers is a function of what it is asked.
"""

import functools
import http.server
import json
import pathlib
import threading
import time

from tests import project

PAGE = project.ROOT / "serving" / "page"
KEY = "a key of the tests"
POLICY = "default-src 'self'"
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
CARD = {
    "shape": {
        "hidden_size": 256,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "max_position_embeddings": 512,
        "vocab_size": 8000,
    },
    "parameters": 5_406_464,
    "vocabulary": 8000,
    "records": 312_000,
    "steps": 2941,
    "scores": {"eval_accuracy": 0.8313333},
    "held_out": {"masked_lm_loss": 3.1256, "masked_lm_accuracy": 0.4217},
    "curve": [[step, 9 / (1 + step / 900) + 1] for step in range(0, 2941, 98)],
}
# The same of metrics.jsonl's rows, as the server reads them.
CARD_OF_ROWS = {
    "family": "bert",
    "shape": {"layers": 4, "width": 312, "heads": 12},
    "parameters": 7_444_010,
    "vocabulary_rows": 8000,
    "max_seq_length": 128,
    "records": 225_181,
    "steps": 938,
    "scores": {"eval_accuracy": 0.8313333, "masked_lm_loss": 2.5},
    "curve": [
        {"step": 100, "loss": 9.5, "masked_lm_loss": 9.0},
        {"step": 200, "loss": 7.5, "masked_lm_loss": 7.0, "eval_loss": 8.0},
        {"step": 300, "masked_lm_loss": 4.25, "eval_loss": 5.5},
    ],
}
_PREDICT = ["predict"]
MODELS = [
    {"id": "mini", "kind": "encoder", "can": ["embeddings", "fill-mask"]},
    {
        "id": "reviews",
        "kind": "labels",
        "can": _PREDICT,
        "labels": ["差", "好"],
    },
    {"id": "pairs", "kind": "pair_labels", "can": _PREDICT},
    {"id": "valence", "kind": "number", "can": _PREDICT},
    {"id": "topics", "kind": "several_labels", "can": _PREDICT},
    {"id": "endings", "kind": "choices", "can": _PREDICT},
    # Named by the numbers of their columns.
    {
        "id": "columns",
        "kind": "choices",
        "can": _PREDICT,
        "labels": ["4", "2", "3"],
    },
    {"id": "ner", "kind": "entities", "can": _PREDICT},
    {"id": "cmrc", "kind": "answers", "can": _PREDICT},
]
# {text: (status, what is answered instead)}
BROKEN = {
    "too long": (413, {"error": {"message": "inputs[0] has <b>9</b> bytes"}}),
    "busy": (429, {"error": {"message": "full"}}),
    "not JSON": (500, None),
    "other form": (200, {"answers": "?"}),
}
SLOW = "slow"
SLOW_SECS = 1.5
_WORDS = ["好", "差", "一般", "棒", "<img src=x onerror=document.title=1>"]


def _shares(names):
    """Returns {name: share}, the first names less likely than the last."""
    total = sum(range(1, len(names) + 1))
    return {name: (n + 1) / total for n, name in enumerate(names)}


def _entities(text):
    """Returns the places of 北京 and of 王小明, in characters."""
    found = []
    for word, kind in (("北京", "ns"), ("王小明", "nr"), ("<b>", "<i>x</i>")):
        start = text.find(word)
        if start >= 0:
            place = {"start": start, "end": start + len(word), "text": word}
            found.append({"type": kind, **place})
    return {"text": text, "entities": found}


def _answer(asked):
    context, word = asked["context"], "杭州"
    start = context.find(word)
    if start < 0:
        return {"id": "1", "answer": ""}
    end = start + len(word)
    return {"id": "1", "answer": word, "start": start, "end": end}


MANY = "many"
COLUMNS = "columns"


def _label(text):
    if text == MANY:
        shares = _shares([f"c{n}" for n in range(30)])
        return {"label": "c29", "probabilities": shares}
    return {"label": "好", "probabilities": {"差": 0.25, "好": 0.75}}


def _choice(texts):
    names = [f"c{n}" for n in range(1, len(texts))]
    if texts[0] == COLUMNS:
        names = ["4", "2", "3"]
    return {"label": names[-1], "probabilities": _shares(names)}


ANSWERS = {
    "labels": _label,
    "pair_labels": lambda pair: {
        "label": str(int(pair[0] == pair[1])),
        "probabilities": {"0": 0.125, "1": 0.875},
    },
    "number": lambda text: {"value": -1.25},
    "several_labels": lambda text: {
        "labels": ["体育", text],
        "probabilities": {"体育": 0.9, text: 0.6, "财经": 0.2},
    },
    "choices": _choice,
    "entities": _entities,
    "answers": _answer,
}


def fill(text, top_k):
    """Returns the words of each mask, as /v1/fill-mask does.

    Behind a Latin letter a word goes on.
    """
    entries = []
    place = 0
    for part in text.replace("[MASK]", "【？】").split("【？】")[:-1]:
        place += len(part)
        goes_on = part[-1:].isascii() and part[-1:].isalpha()
        words = [
            {"token": "##s" if goes_on else token, "score": 0.5 / 2**n}
            for n, token in enumerate(_WORDS[:top_k])
        ]
        entries.append({"position": place, "words": words})
        place += 3
    return entries


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, server, *args):
        self._of = server
        super().__init__(*args)

    def log_message(self, *args):
        """Says nothing."""

    def do_GET(self):
        name = self.path.split("?")[0].lstrip("/") or "index.html"
        path = PAGE / pathlib.PurePath(name).name
        if name == "v1/models":
            self._guarded(200, {"object": "list", "data": self._of.data})
        elif path.is_file():
            self._send(200, path.read_bytes(), _KINDS[path.suffix])
        else:
            self._say(404, {"error": {"message": "no such page"}})

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        asked = json.loads(self.rfile.read(length))
        self._of.asked.append((self.path, asked))
        text, *_ = asked.get("inputs", asked.get("input"))
        if text == SLOW:
            time.sleep(SLOW_SECS)
        if isinstance(text, str) and text in BROKEN:
            self._guarded(*BROKEN[text])
        else:
            self._guarded(200, {"model": asked["model"], **self._answer(asked)})

    def _answer(self, asked):
        if self.path == "/v1/embeddings":
            vectors = [[3.0, 4.0], [4.0, 3.0]]
            data = [
                {"object": "embedding", "index": n, "embedding": vectors[n]}
                for n in (1, 0)
            ]
            return {"object": "list", "data": data}
        texts = asked["inputs"]
        if self.path == "/v1/fill-mask":
            return {"answers": [fill(text, asked["top_k"]) for text in texts]}
        (kind,) = [x["kind"] for x in MODELS if x["id"] == asked["model"]]
        return {"answers": [ANSWERS[kind](text) for text in texts]}

    def _guarded(self, status, value):
        wanted = f"Bearer {KEY}" if self._of.needs_key else None
        if self.headers["Authorization"] != wanted:
            status, value = 401, {"error": {"message": "a key is needed"}}
        self._say(status, value)

    def _say(self, status, value):
        body = b"<p>" if value is None else json.dumps(value).encode()
        self._send(status, body, "application/json")

    def _send(self, status, body, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        if status == http.HTTPStatus.TOO_MANY_REQUESTS:
            self.send_header("Retry-After", "7")
        self.end_headers()
        self.wfile.write(body)


class FakeServer:
    """The server, on a free port of this machine; use it by `with`."""

    def __init__(self):
        self.data = [
            {"labels": [], "card": CARD_OF_ROWS, **model} for model in MODELS
        ]
        self.data[0]["card"] = CARD
        self.needs_key = False
        self.asked = []
        self._server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(_Handler, self)
        )

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever).start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._server.server_close()
