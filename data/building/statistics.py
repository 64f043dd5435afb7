"""Counts what a build made, so that a mistake shows before training does."""

import collections
from collections.abc import Iterable

import numpy as np

from data.building import advice, duplicates, recipes
from data.building.instances import Corpus
from data.config import BuildConfig
from data.manifest import Manifest, Shard

# Of a shard so many are kept, of a build so many are shown.
_UNK_CHARACTERS_KEPT, _UNK_CHARACTERS_SHOWN = 200, 10
_PAIR_RATES = {"random_next_rate": "random next", "swapped_rate": "swapped"}


def of_corpus(
    corpus: Corpus, unk_id: int, longest: int | None
) -> dict[str, int]:
    """Returns what there is to count in a corpus: {name: int}.

    Args:
        corpus: what was read.
        unk_id: the id of [UNK].
        longest: tokens of a pair: what a sentence alone has more is cut off
            in every pass over the corpus. None where sentences go on.
    """
    sentences = np.diff(corpus.documents)
    lengths = np.diff(corpus.sentences)
    is_long = lengths > (longest or np.inf)
    return {
        "num_documents": len(sentences),
        "num_one_sentence_documents": int((sentences == 1).sum()),
        "num_sentences": int(sentences.sum()),
        "num_tokens": len(corpus.ids),
        "num_unk_tokens": int((corpus.ids == unk_id).sum()),
        "num_long_sentences": int(is_long.sum()),
        "num_cut_tokens": int((lengths[is_long] - (longest or 0)).sum()),
        # This is 0 where words are not masked as a whole.
        "num_words": int(corpus.begins.sum()),
    }


def of_recipes(rows: np.ndarray, num_special: int) -> dict[str, int]:
    """Returns what there is to count in some recipes: {name: int}."""
    columns = rows[:, : recipes.NUM_MASKS + 1].sum(axis=0, dtype=np.int64)
    num_tokens = recipes.sizes(rows, num_special)[:, 0].sum(dtype=np.int64)
    return {
        "num_records": len(rows),
        "num_record_tokens": int(num_tokens),
        "num_label_1": int(columns[recipes.LABEL]),
        "num_masks": int(columns[recipes.NUM_MASKS]),
    }


def of_characters(counts: np.ndarray) -> dict[str, int]:
    """Returns the most frequent characters, int64 [code points], in order."""
    codes = np.flatnonzero(counts)
    order = np.argsort(-counts[codes], kind="stable")[:_UNK_CHARACTERS_KEPT]
    return {chr(code): int(counts[code]) for code in codes[order]}


def add_characters(shards: list[Shard]) -> dict[str, int] | None:
    """Returns the most frequent of all shards; None if one did not count."""
    counts = [x for shard in shards if (x := shard.unk_characters) is not None]
    if len(counts) < len(shards):
        return None
    ranked = sorted(add(counts).items(), key=lambda item: (-item[1], item[0]))
    return dict(ranked[:_UNK_CHARACTERS_SHOWN])


def add(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    """Adds up several counts of the same or of different things."""
    total: collections.Counter[str] = collections.Counter()
    for count in counts:
        total.update(count)
    return dict(total)


def of_shards(shards: list[Shard]) -> dict[str, int]:
    """Adds up the counts of shards, as far as all of them have a count.

    A build that goes on from an older one has shards without the new ones.
    """
    counts = [shard.counts for shard in shards]
    total = {
        name: number
        for name, number in add(counts).items()
        if all(name in count for count in counts)
    }
    hashes = _hashes(shards)
    if len(hashes) < len(shards):
        total.pop("num_duplicate_documents", None)
    else:
        total["num_duplicate_documents"] = duplicates.number(
            total["num_documents"], total["num_duplicate_documents"], hashes
        )
    return total


def _hashes(shards):
    """Those of the shards that have them; a shard has some document."""
    return [x for shard in shards if (x := shard.document_hashes)]


def packed(counts: dict[str, int], num_records: int) -> dict[str, int]:
    """Returns the counts of sequences that were packed into records."""
    num_sequences = counts["num_records"]
    return counts | {
        "num_records": num_records,
        "num_sequences": num_sequences,
    }


def with_rates(counts: dict[str, int], config: BuildConfig) -> dict[str, float]:
    """Adds the shares, in [0, 1], that say more than the counts."""
    num_records = counts["num_records"]
    num_sequences = counts.get("num_sequences", num_records)
    num_tokens = counts["num_record_tokens"]
    rates = {
        "unk_rate": counts["num_unk_tokens"] / counts["num_tokens"],
        "mean_tokens": num_tokens / num_sequences,
        "padding_rate": 1 - num_tokens / num_records / config.max_seq_length,
        "masked_rate": counts["num_masks"] / num_tokens,
        "cut_rate": counts.get("num_cut_tokens", 0) / counts["num_tokens"],
    }
    if "num_lost_tokens" in counts:
        rates["lost_rate"] = counts["num_lost_tokens"] / counts["num_tokens"]
    if config.pair_task == "nsp":
        rates["random_next_rate"] = counts["num_label_1"] / num_sequences
    elif config.pair_task == "sop":
        rates["swapped_rate"] = counts["num_label_1"] / num_sequences
    if config.pack_sequences:
        rates["sequences_per_record"] = num_sequences / num_records
    return counts | rates


def summary(manifest: Manifest, seconds: float, peak_bytes: int) -> str:
    """Returns the report that ends a build."""
    counts = manifest.statistics or {}
    shards = manifest.shards or []
    files = manifest.files.values()
    inputs = [x for shard in shards for x in shard.inputs]
    num_bytes = sum(source.num_bytes for source in inputs)
    out_bytes = sum(file.num_bytes for file in files)
    rows = {
        "text": f"{num_bytes / 1e6:.1f} MB in "
        f"{manifest.num_input_files} file(s), "
        f"{len(shards)} shard(s)",
        "documents": f"{counts['num_documents']:,}",
        "sentences": f"{counts['num_sentences']:,}",
        "tokens": f"{counts['num_tokens']:,}",
        "[UNK]": f"{counts['unk_rate']:.3%} of the tokens",
        "[UNK] characters": advice.shown(manifest.unk_characters or {}),
        "duplicates": _duplicates(counts, shards),
        "lost to truncation": losses(counts),
        "records": f"{counts['num_records']:,}",
        "written": f"{out_bytes / 1e6:.1f} MB in {len(files)} file(s)",
        "mean length": f"{counts['mean_tokens']:.1f} tokens",
        "padding": f"{counts['padding_rate']:.1%}",
    }
    if "num_sequences" in counts:
        rows["sequences"] = (
            f"{counts['num_sequences']:,}, "
            f"{counts['sequences_per_record']:.2f} a record"
        )
    for name, title in _PAIR_RATES.items():
        if name in counts:
            rows[title] = f"{counts[name]:.1%}"
    if manifest.masking == "static":
        rows["masked"] = f"{counts['masked_rate']:.1%} of the tokens"
    rows["time"] = (
        f"{seconds:.1f} s, {num_bytes / 1e6 / seconds:.2f} MB/s, "
        f"{counts['num_records'] / seconds:,.0f} records/s"
    )
    rows["peak memory"] = f"{peak_bytes / 1e6:,.0f} MB a process"
    return "\n".join(
        f"{name:<18} {value}" for name, value in rows.items() if value
    )


def losses(counts: dict[str, float]) -> str:
    """What the build says it lost; nothing where it did not count."""
    if "num_lost_tokens" not in counts or "lost_rate" not in counts:
        return ""
    lost = counts["num_lost_tokens"]
    return f"{lost:,} tokens, {counts['lost_rate']:.1%}"


def _duplicates(counts, shards):
    number = counts.get("num_duplicate_documents", 0)
    if not number:
        return ""
    about = "" if duplicates.is_exact(_hashes(shards)) else "about "
    share = number / counts["num_documents"]
    return f"{about}{number:,} of the documents, {share:.1%}"
