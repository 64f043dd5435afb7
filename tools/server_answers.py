"""Answers to lines of text by a server of tools.serve."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from typing import Any

from storage import json_files
from text import corpus

KEY_VARIABLE = "HANLIN_API_KEY"
_LINES_AT_ONCE = 64
_PATIENCE_SECS = 120
_ANSWER = {"answers": list}
_FAILURE = {"error": {"message": str}}


class ServerAnswerer:
    """Answers as `finetuning.answering.Answerer` does, from elsewhere.

    Args:
        server: as http://host:port.
        model: what the server calls it; the only one there without it.
    """

    def __init__(self, server: str, model: str | None):
        self._address = f"{server.rstrip('/')}/v1/predict"
        self._model = {"model": model} if model else {}

    def answer(
        self, lines: Sequence[str], source: str = "the lines", first: int = 1
    ) -> Iterator[Any]:
        """Yields the answer to each line, a value for JSON.

        Raises:
            ValueError: a line is of another form; says what the server says.
            ConnectionError: there is no server, or it has no time.
        """
        for begin in range(0, len(lines), _LINES_AT_ONCE):
            asked = list(lines[begin : begin + _LINES_AT_ONCE])
            place = f"{source}, from line {first + begin} on"
            yield from self._ask({"inputs": asked} | self._model, place)

    def answer_file(self, path: str) -> Iterator[Any]:
        """Yields the answers to the lines of a plain file.

        Raises:
            ValueError: it is one of JSON, or as for `answer`.
        """
        if path.removesuffix(".gz").endswith((".json", ".jsonl")):
            raise ValueError(
                f"--input_file={path}: --server takes lines, not files of JSON"
            )
        text = corpus.read(path).removesuffix("\n")
        yield from self.answer([x.rstrip("\r") for x in text.split("\n")], path)

    def _ask(self, body, place):
        headers = {"Content-Type": "application/json"}
        if key := os.environ.get(KEY_VARIABLE):
            headers["Authorization"] = f"Bearer {key}"
        request = urllib.request.Request(
            self._address, json.dumps(body).encode(), headers
        )
        try:
            with urllib.request.urlopen(
                request, timeout=_PATIENCE_SECS
            ) as answer:
                data = answer.read()
        except urllib.error.HTTPError as error:
            said = json_files.parse(error.read(), self._address, _FAILURE)
            text = f"{place}: {self._address}: {said['error']['message']}"
            passes = error.code == 429 or error.code >= 500
            raise (ConnectionError if passes else ValueError)(text) from None
        except urllib.error.URLError as error:
            raise ConnectionError(f"{self._address}: {error.reason}") from None
        return json_files.parse(data, self._address, _ANSWER)["answers"]
