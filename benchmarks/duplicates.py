"""What is found of copies that are planted among real documents.

Of --corpus, --num_documents are made: its own, and copies of some: exact, with
some of the characters changed, with paragraphs in another order; a part of all
gets the same notices, of a line each. Then repeated lines are dropped, and
duplicates are found at several thresholds. Beside them stands what a comparison
of all pairs finds by the Jaccard similarity of the same shingles.

python -m benchmarks.duplicates --corpus=a.txt.gz,b.txt.gz
"""

import collections
import random
import time

import numpy as np
from absl import app, flags

from benchmarks.exhaustive_jaccard import similar_pairs
from corpus.document import Document
from corpus.duplicates import exact, lines, minhash, near
from corpus.duplicates.config import DuplicatesSettings
from corpus.tally import Tally
from storage import inputs
from text import corpus, normalization

_CORPUS = flags.DEFINE_string(
    "corpus",
    None,
    "Comma list of texts: sentences, blank lines.",
    required=True,
)
_NUM_DOCUMENTS = flags.DEFINE_integer("num_documents", 10_000, "In all.")
_COPIES = flags.DEFINE_integer("copies", 300, "Copies of each kind.")
_BOILERPLATE_SHARE = flags.DEFINE_float(
    "boilerplate_share", 0.3, "Share of documents with notices."
)
_SHARDS = flags.DEFINE_integer("shards", 7, "Into which the corpus is cut.")
_SEED = flags.DEFINE_integer("seed", 1, "Decides what is planted.")
_THRESHOLDS = flags.DEFINE_list(
    "thresholds",
    ["0.2", "0.25", "0.3", "0.5", "0.6", "0.7", "0.8"],
    "Of Jaccard.",
)
# Shorter documents are not copied, as one with a character changed is another.
_MIN_CHARS = 100
_NOTICES = (
    "版权所有，未经本站书面授权不得转载或建立镜像",
    "更多精彩内容请扫描下方二维码关注我们的公众号",
    "（责任编辑：王小明，联系电话：010-12345678）",
    "All rights reserved. Please read the terms of service before use.",
    "本文已被阅读 123 次，欢迎发表您的评论与看法",
)


def documents(paths):
    """Returns the texts of the documents of some files, each once."""
    found = {}
    for path in paths:
        text = corpus.read(path)
        found |= dict.fromkeys(x.strip("\n") for x in text.split("\n\n"))
    return [text for text in found if text.strip()]


def change(text, share, rng):
    """Puts other characters of a text in the place of a share of its own.

    Letters, Chinese characters and digits, wherever they stand.
    """
    characters = [x for x in text if x.isalnum()]
    places = [i for i, x in enumerate(text) if x.isalnum()]
    changed = list(text)
    for place in rng.sample(places, round(share * len(places))):
        drawn = rng.choice(characters)
        while drawn == text[place]:
            drawn = rng.choice(characters + ["天", "a"])
        changed[place] = drawn
    return "".join(changed)


def shuffle(text, rng):
    """Puts the lines of a text in another order, in runs of four."""
    found = text.split("\n")
    runs = [found[i : i + 4] for i in range(0, len(found), 4)]
    rng.shuffle(runs)
    return "\n".join(line for run in runs for line in run)


KINDS = {
    "exact": lambda text, rng: text,
    "5 % changed": lambda text, rng: change(text, 0.05, rng),
    "20 % changed": lambda text, rng: change(text, 0.2, rng),
    "shuffled": shuffle,
}


def plant(originals, rng):
    """Returns texts, the kind of each ("" if it is none), and its original.

    Of a document and its copy the later one is the copy.
    """
    rng.shuffle(originals)
    num_originals = _NUM_DOCUMENTS.value - len(KINDS) * _COPIES.value
    chosen = originals[:num_originals]
    if len(chosen) < num_originals:
        raise ValueError(
            f"--corpus has {len(chosen)} documents, {num_originals} needed"
        )
    long = [i for i, x in enumerate(chosen) if len(x) >= _MIN_CHARS]
    copied = rng.sample(long, len(KINDS) * _COPIES.value)
    entries = [(text, i, "") for i, text in enumerate(chosen)]
    for k, (kind, make) in enumerate(KINDS.items()):
        for i in copied[k * _COPIES.value : (k + 1) * _COPIES.value]:
            entries.append((make(chosen[i], rng), i, kind))
    rng.shuffle(entries)
    kinds = {owner: kind for _, owner, kind in entries if kind}
    seen, planted = set(), []
    for _, owner, _ in entries:
        planted.append(kinds.get(owner, "") if owner in seen else "")
        seen.add(owner)
    return [text for text, _, _ in entries], planted


def add_notices(text, rng):
    """Puts the notices in front of a text and behind it."""
    notices = list(_NOTICES)
    notices[4] = notices[4].replace("123", str(rng.randrange(10_000)))
    return "\n".join([notices[0], text, *notices[1:]])


def cut(items):
    """Cuts a list into shards, in order."""
    bounds = np.linspace(0, len(items), _SHARDS.value + 1).astype(int)
    pairs = zip(bounds[:-1], bounds[1:], strict=True)
    return [items[begin:end] for begin, end in pairs]


def drop_lines(texts, min_documents):
    """Drops repeated lines; prints what went, and returns the texts."""
    shards = [lines.hash_lines(shard) for shard in cut(texts)]
    counts = list(map(lines.count, shards))
    repeated = lines.find_repeated(counts, min_documents)
    tally = Tally()
    left = []
    for i, (shard, hashes) in enumerate(zip(cut(texts), shards, strict=True)):
        marks = lines.repeats(repeated, i, hashes)
        made = [Document("", text) for text in shard]
        left += [x.text for x in lines.without(made, hashes, marks, tally)]
    before = collections.Counter(x for text in texts for x in text.split("\n"))
    after = collections.Counter(x for text in left for x in text.split("\n"))
    gone = before - after
    is_notice = {x: x[:6] in {y[:6] for y in _NOTICES} for x in before}
    wanted = sum(num for x, num in before.items() if is_notice[x])
    found = sum(num for x, num in gone.items() if is_notice[x])
    print(
        f"lines: {found:,} of {wanted:,} notices dropped, {len(_NOTICES)} to "
        f"stay; {gone.total() - found:,} of {before.total() - wanted:,} others"
    )
    stands_in = collections.Counter(
        x for text in texts for x in set(text.split("\n"))
    )
    others = [x for x in gone if not is_notice[x]]
    for line in sorted(others, key=lambda x: -gone[x])[:10]:
        print(f"    {gone[line]:>6,} in {stands_in[line]:>6,}  {line[:50]}")
    return left


def drop_exhaustively(pairs, is_kept, threshold):
    """Returns what goes if each pair is compared; bool [documents]."""
    goes = ~is_kept
    for later, earlier, similarity in pairs:
        if similarity >= threshold and not goes[earlier] and is_kept[later]:
            goes[later] = True
    return goes & is_kept


def table(planted, goes, wanted):
    """Returns a line: shares that go, by kind, beside what should."""
    planted = np.array(planted)
    cells = []
    for kind in KINDS:
        mine = planted == kind
        cells.append(f"{goes[mine].mean():8.1%} /{wanted[mine].mean():7.1%}")
    both = (goes & wanted).sum()
    others = goes & (planted == "")
    return (
        " ".join(cells) + f" {others.sum():>6,} "
        f"{both / max(1, wanted.sum()):8.2%} {both / max(1, goes.sum()):9.2%}"
    )


def main(_):
    settings = DuplicatesSettings()
    rng = random.Random(_SEED.value)
    texts, planted = plant(documents(inputs.expand(_CORPUS.value)), rng)
    marked = rng.sample(
        range(len(texts)), round(len(texts) * _BOILERPLATE_SHARE.value)
    )
    for i in marked:
        texts[i] = add_notices(texts[i], rng)
    num_chinese = sum(normalization.is_chinese(x) for t in texts for x in t)
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    print(
        f"{len(texts):,} documents, {megabytes:.1f} MB, {num_chinese:,} "
        f"Chinese characters; {_COPIES.value} copies of each kind"
    )
    texts = drop_lines(texts, settings.repeated_line_documents)
    copies = exact.find_exact([exact.digests(x) for x in cut(texts)])
    start = time.monotonic()
    is_long = [len(minhash.shingles(x)) >= minhash.MIN_SHINGLES for x in texts]
    is_kept = (copies < 0) & np.array(is_long)
    pairs = similar_pairs(texts, min(map(float, _THRESHOLDS.value)))
    print(f"all pairs compared in {time.monotonic() - start:.0f} s")
    print(
        "          dropped / by all pairs, of\nthreshold "
        + " ".join(f"{kind:>17}" for kind in KINDS)
        + "  others   recall precision"
    )
    for threshold in map(float, _THRESHOLDS.value):
        bands = minhash.choose_bands(threshold)
        signed = [minhash.signatures(x, bands) for x in cut(texts)]
        found = near.find_near(signed, is_kept, threshold) >= 0
        wanted = drop_exhaustively(pairs, is_kept, threshold)
        goes, wanted = found | (copies >= 0), wanted | (copies >= 0)
        print(f"{threshold:<9} {table(planted, goes, wanted)}")


if __name__ == "__main__":
    app.run(main)
