"""Whether a SavedModel answers as the model it was made of.

It is asked in a process of its own that has TensorFlow, tensorflow-text if the
tokenizer needs it, and none of our code.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np

from interop import graph_tokenizer, outputs, saved_model, variables
from interop.variables import PortableModel
from text import tokenization

_CLIENT = pathlib.Path(__file__).with_name("saved_model_client.py")
# What a server may be sent.
TEXTS = (
    "使用语言模型来预测下一个词的概率。".encode(),
    b"Language models predict the probability of the next word.",
    "他說:「2019年BERT發表了」,unaffable naïve Ünïcödé.".encode(),
    b"",
    b" \t\n\r ",
    ("今天天气很好，" * 1429)[:10_000].encode(),
    b"a" * 10_000,
    "👍🏽 emoji 👨‍👩‍👧 中👍国".encode(),
    b"NUL\x00in the\x00middle\x00",
    b"not \xff UTF-8 \xe4\xb8 \xed\xa0\x80 at all \xe4",
    "line\u2028separator\u2029 \ufeffBOM \u200bzero \ufffd wide".encode(),
    "ΟΔΥΣΣΕΥΣ ΣΑΣ. ΑΣ.Α Σ Α\u0301Σ\u0301 ΑΣ\u200d".encode(),
    "e\u0301\u0323 \u1e69 \U0001d15f\U0001d16e\u302f\u302e 각\u11a8 ﬁ".encode(),
    b"[CLS] [MASK] [SEP] ##ing",
)


def differences(
    directory: str,
    model: PortableModel,
    batch: outputs.Arrays,
    before: outputs.Arrays,
) -> dict[str, float]:
    """Asks ids, texts and pairs.

    Args:
        directory: of a SavedModel.
        model: what it was made of.
        batch: {name: int32 [B, T]} of `outputs.FEATURES`.
        before: the outputs of `batch` as they should be.

    Returns:
        {output: largest difference}, those of texts and pairs by the names
        "text NAME" and "pairs NAME".

    Raises:
        ValueError: a text has other ids than `text.tokenization` gives it.
    """
    questions = [_question("ids", batch)]
    rows = {}
    vocabulary = saved_model.load_vocabulary(directory, model)
    if vocabulary:
        rows = {"text": (TEXTS,), "pairs": (TEXTS, TEXTS[::-1])}
        for name, texts in rows.items():
            questions.append(_of_texts(name, texts))
    libraries = graph_tokenizer.libraries(model.tokenizer)
    (of_ids, *answers) = ask(directory, questions, libraries if rows else [])
    found = outputs.differences(before, outputs.joined(of_ids), batch)
    if "logits" not in before:  # Of every token: too many for texts.
        model, _ = variables.with_head(model, "encoder")
    for (name, texts), answer in zip(rows.items(), answers, strict=True):
        features = _features(directory, model, vocabulary, texts, answer)
        wanted = outputs.of_ours(model, features)
        of_name = outputs.differences(wanted, outputs.joined(answer), features)
        found |= {f"{name} {key}": value for key, value in of_name.items()}
    return found


def _of_texts(name, texts):
    if name == "text":
        return _question("serving_default", {"text": texts[0]})
    return _question("pairs", {"text_a": texts[0], "text_b": texts[1]})


def _question(signature, inputs):
    return {
        "signature": signature,
        "inputs": {
            name: [
                value.decode("latin-1")
                if isinstance(value, bytes)
                else value.tolist()
                for value in values
            ]
            for name, values in inputs.items()
        },
    }


def ask(
    directory: str,
    questions: list[dict[str, Any]],
    libraries: Sequence[str] = (),
) -> list[dict[str, np.ndarray]]:
    """Returns the answers of a SavedModel, a list of {output: array}.

    Args:
        directory: a local one.
        questions: as `saved_model_client` takes them.
        libraries: what is imported besides TensorFlow.

    Raises:
        ValueError: it cannot be loaded or asked.
    """
    with tempfile.TemporaryDirectory() as elsewhere:
        asked = os.path.join(elsewhere, "questions.json")
        answered = os.path.join(elsewhere, "answers.npz")
        with open(asked, "w", encoding="utf-8") as file:
            json.dump(questions, file)
        done = subprocess.run(
            # -I: neither PYTHONPATH nor a folder of ours.
            [
                *(sys.executable, "-I", str(_CLIENT)),
                *(os.path.abspath(directory), asked, answered),
                *libraries,
            ],
            cwd=elsewhere,
            env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise ValueError(
                f"{directory} cannot be served: {done.stderr.strip()[-2000:]}"
            )
        answers: list[dict[str, np.ndarray]] = [{} for _ in questions]
        with np.load(answered) as arrays:
            for key in arrays.files:
                number, _, name = key.partition("/")
                answers[int(number)][name] = arrays[key]
    return answers


def _features(directory, model, vocabulary, texts, answer):
    """What `text.tokenization` makes of texts, at the length of the answer.

    Raises:
        ValueError: the answer is of other ids.
    """
    tokenizer = tokenization.Tokenizer(vocabulary, model.do_lower_case)
    cls, sep = vocabulary.roles.cls, vocabulary.roles.sep
    layout = vocabulary.layout
    num_special = layout.num_special(len(texts) > 1)
    found = answer["input_ids"]
    settings = saved_model.read_settings(directory)
    features = {name: np.zeros_like(found) for name in outputs.FEATURES}
    features["input_ids"].fill(vocabulary.padding_id)
    for row, parts in enumerate(zip(*texts, strict=True)):
        ids = [_tokens(tokenizer, part) for part in parts]
        cut_longest_first(ids, settings["max_seq_length"] - num_special)
        joined, segments = [cls], [0]
        for number, part in enumerate(ids):
            if number:
                joined += [sep] * (layout.num_between - 1)
                segments += [0] * (layout.num_between - 1)
            joined += [*part, sep]
            segment = layout.second_segment if number else 0
            segments += [segment] * (len(part) + 1)
        length = len(joined)
        features["input_ids"][row, :length] = joined
        features["input_mask"][row, :length] = 1
        last = max(model.config.type_vocab_size - 1, 0)
        features["segment_ids"][row, :length] = np.minimum(segments, last)
        for name in ("input_ids", "input_mask"):
            if not np.array_equal(features[name][row], answer[name][row]):
                raise ValueError(
                    f"{directory}: {parts[0][:80]!r} has other {name} than by "
                    "text.tokenization"
                )
    return features


def _tokens(tokenizer, text):
    ids, _ = tokenizer.tokenize(text.decode("utf-8", "ignore"))
    return ids.tolist()


def cut_longest_first(parts: list[list[int]], num_tokens: int) -> None:
    """Cuts lists to `num_tokens` together, from the longer one, in place.

    Source: google-research/bert, run_classifier.py, _truncate_seq_pair.
    """
    while sum(map(len, parts)) > num_tokens:
        # The last of those that are longest.
        max(reversed(parts), key=len).pop()
