"""Others' models behind FastAPI, with which benchmarks.serving compares ours.

It runs in the Python of the peers, and imports nothing of this project:

PYTHON benchmarks/serving_peers.py pipeline MODEL --port=8001 --max_length=128
"""

import argparse
import threading

import fastapi
import pydantic
import uvicorn


class Form(pydantic.BaseModel):
    """What is asked."""

    inputs: list[str]


def pipeline(directory, max_length):
    """Returns what gives {label: probability} of each text."""
    import transformers

    classify = transformers.pipeline(
        "text-classification",
        model=directory,
        device="cpu",
        top_k=None,
        truncation=True,
        max_length=max_length,
    )
    return lambda texts: [
        {one["label"]: one["score"] for one in found}
        for found in classify(texts)
    ]


def sentence_transformers(directory, max_length):
    """Returns what gives a vector of each text."""
    import sentence_transformers

    model = sentence_transformers.SentenceTransformer(directory, device="cpu")
    model.max_seq_length = max_length
    return lambda texts: model.encode(texts, show_progress_bar=False).tolist()


KINDS = {
    "pipeline": pipeline,
    "sentence_transformers": sentence_transformers,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("directory")
    parser.add_argument("--port", type=int)
    parser.add_argument("--max_length", type=int)
    parser.add_argument("--one_at_a_time", action="store_true")
    given = parser.parse_args()
    answer = KINDS[given.kind](given.directory, given.max_length)
    app, turn = fastapi.FastAPI(), threading.Lock()

    # FastAPI runs it in one of its forty threads.
    def predict(form: Form):
        if not given.one_at_a_time:
            return {"answers": answer(form.inputs)}
        with turn:
            return {"answers": answer(form.inputs)}

    app.post("/")(predict)
    app.get("/readyz")(lambda: {"status": "ready"})
    uvicorn.run(app, port=given.port, log_level="error", access_log=False)


if __name__ == "__main__":
    main()
