"""The plain algorithm of google-research/bert, as the tests' second opinion.

Lists of strings, one random.Random, one token at a time, as it was published:
nothing here is shared with the code under test. It is also what
benchmarks/build_data.py measures against, run as a program:

python -m tests.google_reference --input_file=corpus.txt \\
    --output_file=records.tfrecord --vocab_file=vocab.txt
"""

import argparse
import random
import typing

from tests.google_tokenization import FullTokenizer, read_lines


class Layout(typing.NamedTuple):
    """The special tokens of rows: BERT's, unless `args.layout` has others."""

    cls: str = "[CLS]"
    between: tuple[str, ...] = ("[SEP]",)
    mask: str = "[MASK]"
    second_segment: int = 1
    padding: int = 0


def _layout(args):
    return getattr(args, "layout", Layout())


def read_documents(paths, tokenizer, convert=None):
    documents = [[]]
    for path in paths:
        for line in read_lines(path):
            if convert:
                line = convert(line)
            line = line.strip()
            if not line:
                documents.append([])
            tokens = tokenizer.tokenize(line)
            if tokens:
                documents[-1].append(tokens)
    return [document for document in documents if document]


def create_instances(documents, vocab, args):
    """Returns [(tokens, segment_ids, positions, labels, is_random_next)]."""
    rng = random.Random(args.random_seed)
    documents = list(documents)
    rng.shuffle(documents)
    words = list(vocab)
    instances = []
    for _ in range(args.dupe_factor):
        for index in range(len(documents)):
            for pair in _pairs(documents, index, args, rng):
                instances.append(_masked(*pair, words, args, rng))
    rng.shuffle(instances)
    return instances


def _pairs(documents, index, args, rng):
    document = documents[index]
    longest = args.max_seq_length - 2 - len(_layout(args).between)
    target = longest
    if rng.random() < args.short_seq_prob:
        target = rng.randint(2, longest)
    chunk, length, i = [], 0, 0
    while i < len(document):
        chunk.append(document[i])
        length += len(document[i])
        if i == len(document) - 1 or length >= target:
            num_a = 1
            if len(chunk) >= 2:
                num_a = rng.randint(1, len(chunk) - 1)
            a = [token for sentence in chunk[:num_a] for token in sentence]
            is_random_next = len(chunk) == 1 or rng.random() < 0.5
            if is_random_next:
                b = _random_b(documents, index, target - len(a), rng)
                i -= len(chunk) - num_a
            else:
                b = [token for sentence in chunk[num_a:] for token in sentence]
            while len(a) + len(b) > longest:
                longer = a if len(a) > len(b) else b
                if rng.random() < 0.5:
                    del longer[0]
                else:
                    longer.pop()
            yield a, b, is_random_next
            chunk, length = [], 0
        i += 1


def _random_b(documents, index, target, rng):
    for _ in range(10):
        other = rng.randint(0, len(documents) - 1)
        if other != index:
            break
    sentences = documents[other]
    tokens = []
    for i in range(rng.randint(0, len(sentences) - 1), len(sentences)):
        tokens.extend(sentences[i])
        if len(tokens) >= target:
            break
    return tokens


def _masked(a, b, is_random_next, words, args, rng):
    layout = _layout(args)
    between, sep = layout.between, layout.between[0]
    tokens = [layout.cls, *a, *between, *b, sep]
    first = len(a) + 1 + len(between)
    segment_ids = [0] * first + [layout.second_segment] * (len(b) + 1)
    candidates = []
    # Tokens of another kind than WordPiece's tell it otherwise.
    goes_on = getattr(args, "goes_on", lambda token: token.startswith("##"))
    for position, token in enumerate(tokens):
        if token in (layout.cls, sep):
            continue
        if args.do_whole_word_mask and candidates and goes_on(token):
            candidates[-1].append(position)
        else:
            candidates.append([position])
    rng.shuffle(candidates)
    wanted = max(1, int(round(len(tokens) * args.masked_lm_prob)))
    wanted = min(args.max_predictions_per_seq, wanted)
    labels = {}
    output = list(tokens)
    for word in candidates:
        if len(labels) >= wanted:
            break
        if len(labels) + len(word) > wanted:
            continue
        for position in word:
            labels[position] = tokens[position]
            if rng.random() < 0.8:
                output[position] = layout.mask
            elif rng.random() >= 0.5:
                output[position] = words[rng.randint(0, len(words) - 1)]
    positions = sorted(labels)
    return output, segment_ids, positions, labels, is_random_next


def record(instance, vocab, args):
    """The features of an instance, in order, as lists of numbers."""
    tokens, segment_ids, positions, labels, is_random_next = instance

    def padded(values, length, fill=0):
        return values + [fill] * (length - len(values))

    length, num_predictions = args.max_seq_length, args.max_predictions_per_seq
    label_ids = [vocab[labels[position]] for position in positions]
    return {
        "input_ids": padded(
            [vocab[token] for token in tokens], length, _layout(args).padding
        ),
        "input_mask": padded([1] * len(tokens), length),
        "segment_ids": padded(segment_ids, length),
        "masked_lm_positions": padded(positions, num_predictions),
        "masked_lm_ids": padded(label_ids, num_predictions),
        "masked_lm_weights": padded([1.0] * len(positions), num_predictions),
        "next_sentence_labels": [int(is_random_next)],
    }


def build(args):
    """Yields the records that `args` (see `arguments`) ask for, in order."""
    tokenizer = FullTokenizer(args.vocab_file, args.do_lower_case)
    convert = None
    if args.t2s:
        import opencc

        convert = opencc.OpenCC("t2s").convert
    documents = read_documents(args.input_file.split(","), tokenizer, convert)
    yield from records_of(documents, tokenizer.vocab, args)


def records_of(documents, vocab, args):
    """Yields the records of documents: lists of sentences, of tokens."""
    for instance in create_instances(documents, vocab, args):
        yield record(instance, vocab, args)


def write(records, paths):
    """Writes records round robin over TFRecord files."""
    import tensorflow as tf

    writers = [tf.io.TFRecordWriter(path) for path in paths]
    for index, features in enumerate(records):
        example = tf.train.Example()
        for name, values in features.items():
            feature = example.features.feature[name]
            if isinstance(values[0], float):
                feature.float_list.value.extend(values)
            else:
                feature.int64_list.value.extend(values)
        writers[index % len(writers)].write(example.SerializeToString())
    for writer in writers:
        writer.close()


def arguments(argv=None):
    """The flags, with google-research/bert's defaults."""
    parser = argparse.ArgumentParser()
    for name in ("input_file", "output_file", "vocab_file"):
        parser.add_argument(f"--{name}", default="")
    for name, default in (
        ("do_lower_case", True),
        ("do_whole_word_mask", False),
        ("t2s", False),
    ):
        parser.add_argument(
            f"--{name}", type=lambda text: text == "True", default=default
        )
    for name, default in (
        ("max_seq_length", 128),
        ("max_predictions_per_seq", 20),
        ("random_seed", 12345),
        ("dupe_factor", 10),
        ("masked_lm_prob", 0.15),
        ("short_seq_prob", 0.1),
    ):
        parser.add_argument(f"--{name}", type=type(default), default=default)
    return parser.parse_args(argv)


if __name__ == "__main__":
    parsed = arguments()
    write(build(parsed), parsed.output_file.split(","))
