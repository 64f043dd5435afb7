"""Counts what a build made, so that a mistake shows before training does."""

import collections
from collections.abc import Iterable, Iterator

import numpy as np

from data.building import recipes
from data.building.instances import Corpus
from data.config import BuildConfig
from data.manifest import Manifest

_HIGH_UNK_RATE = 0.05
_HIGH_RANDOM_NEXT_RATE = 0.75
# Fewer of the masks that the settings ask for are a mistake.
_LOW_SHARE_OF_MASKS = 0.5
_HIGH_CUT_RATE = 0.05
# Mean tokens of a word; Chinese ones have 1.5 to 2, punctuation counted.
_LONG_WORDS = 3.0
# More padding than this in packed records is worth a word. A limit whose mean
# is nearer than that binds, and is the cause.
_HIGH_PADDING_RATE = 0.05
_NEARLY_FULL = 0.9
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
    num_tokens = columns[recipes.NUM_A] + columns[recipes.NUM_B]
    return {
        "num_records": len(rows),
        "num_record_tokens": int(num_tokens) + num_special * len(rows),
        "num_label_1": int(columns[recipes.LABEL]),
        "num_masks": int(columns[recipes.NUM_MASKS]),
    }


def add(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    """Adds up several counts of the same or of different things."""
    total: collections.Counter[str] = collections.Counter()
    for count in counts:
        total.update(count)
    return dict(total)


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
        # A build that goes on from an older one has shards without this count.
        "cut_rate": counts.get("num_cut_tokens", 0) / counts["num_tokens"],
    }
    if config.pair_task == "nsp":
        rates["random_next_rate"] = counts["num_label_1"] / num_sequences
    elif config.pair_task == "sop":
        rates["swapped_rate"] = counts["num_label_1"] / num_sequences
    if config.pack_sequences:
        rates["sequences_per_record"] = num_sequences / num_records
    return counts | rates


def warnings(counts: dict[str, float], config: BuildConfig) -> Iterator[str]:
    """Yields what is legal in a corpus and spoils the training."""
    if config.pack_sequences and counts["padding_rate"] > _HIGH_PADDING_RATE:
        yield from _warnings_of_packing(counts, config)
    if "random_next_rate" in counts:
        yield from _warnings_of_random_next(counts, config)
    if counts["cut_rate"] > _HIGH_CUT_RATE:
        yield (
            f"{counts['cut_rate']:.0%} of the tokens are cut off in every "
            f"pass over the text, as {_describe_long(counts, config)}; put "
            "each sentence on a line of its own"
        )
    if config.word_segmenter == "spaces":
        yield from _warnings_of_spaces(counts)
    if config.masking == "static":
        yield from _warnings_of_masks(counts, config)
    if counts["unk_rate"] > _HIGH_UNK_RATE:
        yield (
            f"{counts['unk_rate']:.1%} of the tokens are [UNK]: does "
            "--vocab_file fit the language, --do_lower_case and --t2s?"
        )


def _warnings_of_packing(counts, config):
    """Says what else than tokens fills the records, if anything does."""
    masks = config.max_predictions_per_seq
    for name, limit, inside in (
        ("pack_sequences", config.pack_sequences, counts["num_sequences"]),
        ("max_predictions_per_seq", masks, counts["num_masks"]),
    ):
        a_record = inside / counts["num_records"]
        if a_record > _NEARLY_FULL * limit:
            yield (
                f"{counts['padding_rate']:.0%} of the packed records is "
                f"padding, as --{name}={limit} is reached first "
                f"({a_record:.1f} a record); raise it"
            )


def _warnings_of_spaces(counts):
    length = counts["num_tokens"] / (counts.get("num_words") or np.inf)
    if length > _LONG_WORDS:
        yield (
            f"the words of the text have {length:.1f} tokens on average, and "
            "are masked as a whole: does --word_segmenter=spaces fit, with "
            "spaces between the words of the text?"
        )


def _warnings_of_masks(counts, config):
    wanted = min(
        config.masked_lm_prob,
        config.max_predictions_per_seq / counts["mean_tokens"],
    )
    rate = counts["masked_rate"]
    if rate >= _LOW_SHARE_OF_MASKS * wanted:
        return
    advice = "the records train little"
    if config.do_whole_word_mask or config.mask_unit != "word":
        advice = (
            "words, which are masked as a whole, are longer than the masks "
            "that a sequence may have"
        )
    yield (
        f"{rate:.1%} OF THE TOKENS ARE MASKED, where --masked_lm_prob="
        f"{config.masked_lm_prob:g} and --max_predictions_per_seq="
        f"{config.max_predictions_per_seq} ask for {wanted:.1%}: {advice}"
    )


def _describe_long(counts, config):
    return (
        f"{counts['num_long_sentences']:,} of {counts['num_sentences']:,} "
        f"lines have more tokens than --max_seq_length={config.max_seq_length} "
        "has room for"
    )


def _warnings_of_random_next(counts, config):
    documents = counts["num_documents"]
    single = counts["num_one_sentence_documents"]
    if documents == 1:
        yield (
            "the corpus is one document: every random next sentence is from "
            "the same document; put a blank line between documents"
        )
    if single == documents:
        yield (
            f"each of the {documents} documents has one sentence, so every "
            "next_sentence_label is 1 (random) and next sentence prediction "
            "learns nothing; the input wants one sentence a line and blank "
            "lines between documents only"
        )
    elif counts["random_next_rate"] <= _HIGH_RANDOM_NEXT_RATE:
        return
    elif 2 * counts.get("num_long_sentences", 0) > counts["num_sentences"]:
        yield (
            f"{counts['random_next_rate']:.0%} of the pairs are random, as "
            f"{_describe_long(counts, config)}, and one that fills a sequence "
            "by itself has no neighbour in it: are they paragraphs? Put each "
            "sentence on a line of its own, or raise --max_seq_length"
        )
    else:
        yield (
            f"{counts['random_next_rate']:.0%} of the pairs are random, as "
            f"{single} of {documents} documents have one sentence; is there a "
            "blank line behind every sentence?"
        )


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
        "records": f"{counts['num_records']:,}",
        "written": f"{out_bytes / 1e6:.1f} MB in {len(files)} file(s)",
        "mean length": f"{counts['mean_tokens']:.1f} tokens",
        "padding": f"{counts['padding_rate']:.1%}",
    }
    if counts["cut_rate"]:
        rows["cut off"] = f"{counts['cut_rate']:.1%} of the tokens"
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
    return "\n".join(f"{name:<12} {value}" for name, value in rows.items())
