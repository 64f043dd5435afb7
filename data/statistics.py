"""What a build made, in numbers that show a mistake before training does."""

import numpy as np

_HIGH_UNK_RATE = 0.05
_HIGH_RANDOM_NEXT_RATE = 0.75


def count(config, vocabulary, corpus, recipes):
    """Counts a build.

    Returns:
        {name: int or float}; names ending in `_rate` are shares in [0, 1].
    """
    num_records = len(recipes.num_masks)
    num_tokens = int(recipes.lengths.sum(dtype=np.int64)) + 3 * num_records
    sentences = np.diff(corpus.documents)
    unk = vocabulary.ids["[UNK]"]
    return {
        "num_documents": len(sentences),
        "num_one_sentence_documents": int((sentences == 1).sum()),
        "num_sentences": int(sentences.sum()),
        "num_tokens": len(corpus.ids),
        "unk_rate": float((corpus.ids == unk).mean()),
        "num_records": num_records,
        "mean_tokens": num_tokens / num_records,
        "padding_rate": 1 - num_tokens / num_records / config.max_seq_length,
        "random_next_rate": float(recipes.is_random_next.mean()),
        "masked_rate": len(recipes.mask_ids) / num_tokens,
    }


def warnings(counts):
    """Yields what is legal in a corpus and spoils the training."""
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
    elif counts["random_next_rate"] > _HIGH_RANDOM_NEXT_RATE:
        yield (
            f"{counts['random_next_rate']:.0%} of the pairs are random, as "
            f"{single} of {documents} documents have one sentence; is there a "
            "blank line behind every sentence?"
        )
    if counts["unk_rate"] > _HIGH_UNK_RATE:
        yield (
            f"{counts['unk_rate']:.1%} of the tokens are [UNK]: does "
            "--vocab_file fit the language, --do_lower_case and --t2s?"
        )


def summary(counts, inputs, files, seconds, peak_bytes):
    """Returns the report that ends a build."""
    num_bytes = sum(item["num_bytes"] for item in inputs)
    out_bytes = sum(item["num_bytes"] for item in files.values())
    rows = (
        ("text", f"{num_bytes / 1e6:.1f} MB in {len(inputs)} file(s)"),
        ("documents", f"{counts['num_documents']:,}"),
        ("sentences", f"{counts['num_sentences']:,}"),
        ("tokens", f"{counts['num_tokens']:,}"),
        ("[UNK]", f"{counts['unk_rate']:.3%} of the tokens"),
        ("records", f"{counts['num_records']:,}"),
        (
            "written",
            f"{out_bytes / 1e6:.1f} MB in {len(files)} file(s)",
        ),
        ("mean length", f"{counts['mean_tokens']:.1f} tokens"),
        ("padding", f"{counts['padding_rate']:.1%}"),
        ("random next", f"{counts['random_next_rate']:.1%}"),
        ("masked", f"{counts['masked_rate']:.1%} of the tokens"),
        (
            "time",
            f"{seconds:.1f} s, {num_bytes / 1e6 / seconds:.2f} MB/s, "
            f"{counts['num_records'] / seconds:,.0f} records/s",
        ),
        ("peak memory", f"{peak_bytes / 1e6:,.0f} MB"),
    )
    return "\n".join(f"{name:<12} {value}" for name, value in rows)
