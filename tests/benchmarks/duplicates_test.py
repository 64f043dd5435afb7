"""What is planted is what is said, and all pairs are compared rightly."""

import random
import re
import subprocess
import sys

import pytest

from benchmarks import duplicates, exhaustive_jaccard
from corpus.duplicates import minhash
from tests import project


def drawn_text(seed, num_lines=12):
    rng = random.Random(seed)
    return "\n".join(
        "".join(chr(rng.randint(0x4E00, 0x4EFF)) for _ in range(20)) + "。"
        for _ in range(num_lines)
    )


def test_a_share_of_the_characters_is_changed():
    text = drawn_text(1)
    changed = duplicates.change(text, 0.05, random.Random(1))
    places = [i for i, x in enumerate(text) if x != changed[i]]
    assert len(places) == 12 and len(changed) == len(text)
    assert not any(text[i] in "\n。" for i in places)


def test_the_lines_are_the_same_in_another_order():
    text = drawn_text(2)
    shuffled = duplicates.shuffle(text, random.Random(2))
    assert shuffled != text
    assert sorted(shuffled.split("\n")) == sorted(text.split("\n"))


def test_all_pairs_have_the_similarity_of_their_sets():
    texts = [drawn_text(3)[: 40 * i] + drawn_text(4) for i in range(6)]
    sets = [set(minhash.shingles(text).tolist()) for text in texts]
    wanted = [
        (i, j, len(sets[i] & sets[j]) / len(sets[i] | sets[j]))
        for i in range(len(texts))
        for j in range(i)
    ]
    found = exhaustive_jaccard.similar_pairs([*texts, ""], 0.75)
    assert list(found) == [x for x in wanted if x[2] >= 0.75] != wanted


@pytest.mark.slow
def test_the_table_has_a_line_for_each_threshold(tmp_path):
    path = tmp_path / "corpus.txt"
    texts = [drawn_text(seed) for seed in range(100, 180)]
    path.write_text("\n\n".join(texts) + "\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.duplicates", f"--corpus={path}"]
        + ["--num_documents=100", "--copies=10", "--thresholds=0.3,0.6"],
        cwd=project.ROOT,
        env=project.environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    low, high = done.stdout.splitlines()[-2:]
    assert low.startswith("0.3 ") and high.startswith("0.6 ")
    # Of each kind the share that goes, and that by all pairs.
    shares = re.findall(r"[\d.]+%", high)[:8]
    assert shares[:2] + shares[6:] == ["100.0%"] * 4
