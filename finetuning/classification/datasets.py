"""What published tasks look like, each one row of a table."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

# Texts of an example; the second of a pair may be None.
Pairs = Sequence[tuple[str, str | None]]


def as_they_are(first: str, second: str | None = None) -> Pairs:
    """Makes the one pair of an example of its one or two texts."""
    return ((first, second),)


def choices(context: str, *texts: str) -> Pairs:
    """Makes a pair of the context and each of the texts to choose from."""
    return tuple((context, text) for text in texts)


def _endings(context, start, *endings):
    # Not an f-string, which would make a text of a list instead of an error.
    return tuple((context, " ".join((start, ending))) for ending in endings)


def _keywords(keywords, abstract):
    if isinstance(keywords, list):
        keywords = " ".join(keywords)
    return ((keywords, abstract),)


def _marked_spans(text, target):
    """Marks a noun by _ and the pronoun by [ ], as CLUE's baseline does."""
    if isinstance(target, str):
        raise ValueError("WSC is predicted from files of JSON, not from lines")
    spans = []
    for number, (left, right) in ((1, "__"), (2, "[]")):
        begin = target[f"span{number}_index"]
        end = begin + len(target[f"span{number}_text"])
        if text[begin:end] != target[f"span{number}_text"]:
            raise ValueError("a span that is not where its index says")
        spans.append((begin, end, left, right))
    for begin, end, left, right in sorted(spans, reverse=True):
        text = text[:begin] + left + text[begin:end] + right + text[end:]
    return ((text, None),)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dataset:
    """A task: where its texts and labels are and how it is scored.

    A column's or a file's other names stand behind |.
    """

    # {split: {part: file}}; an empty part is the main one. The part is the
    # ending of the names of its scores.
    files: Mapping[str, Mapping[str, str]]
    texts: Sequence[str]
    label: str = "label"
    id: str = "id|index|idx"
    # The names of the columns, where the files have no header.
    columns: Sequence[str] = ()
    # In the order of google-research/bert and CLUE; None takes the labels that
    # the data have.
    labels: Sequence[str] | None = None
    kind: str = "one_label"
    metrics: Sequence[str] = ("accuracy",)
    make_pairs: Callable[..., Pairs] = as_they_are
    # {how the file writes a label: the label}
    renamed: Mapping[str, str] = dataclasses.field(default_factory=dict)
    # What the file has for a label on which the annotators did not agree.
    undecided: str | None = None
    # Whether only rows whose "language" is --xnli_language belong to it.
    of_language: bool = False
    # The task whose models it is for, where it has nothing to train on.
    model_of: str | None = None
    # A key of `answer_files.SUBMISSIONS`, and {part: file}.
    submission: tuple[str, Mapping[str, str]] | None = None


def _files(train, dev, test):
    return {"train": {"": train}, "eval": {"": dev}, "predict": {"": test}}


_TSV = _files("train.tsv", "dev.tsv", "test.tsv")
_JSON = _files("train.json", "dev.json", "test.json")
_TEXTS = _files("train.tsv|train.txt", "dev.tsv|dev.txt", "test.tsv|test.txt")
_PAIR = ("sentence1", "sentence2")
_BINARY = ("0", "1")
_NLI = ("contradiction", "entailment", "neutral")
_ENTAILED = ("entailment", "not_entailment")
_MATCHED, _MISMATCHED = "", "_mismatched"


def _glue(name):
    return ("glue", {"": f"{name}.tsv"})


def _clue(name):
    # CLUE 1.1's names, for the test.json that is handed out.
    return ("clue", {"": f"{name}_predict.json"})


# fmt: off
DATASETS = {
    "cola": Dataset(
        files=_TSV, texts=("sentence",), labels=_BINARY,
        columns=("source", "label", "original", "sentence"),
        metrics=("matthews", "accuracy"), submission=_glue("CoLA")),
    "sst2": Dataset(
        files=_TSV, texts=("sentence",), labels=_BINARY,
        submission=_glue("SST-2")),
    "mrpc": Dataset(
        files=_files("train.tsv|msr_paraphrase_train.txt",
                     "dev.tsv|msr_paraphrase_test.txt",
                     "test.tsv|msr_paraphrase_test.txt"),
        texts=("#1 String", "#2 String"), label="Quality", id="index",
        labels=_BINARY, metrics=("accuracy", "f1"),
        submission=_glue("MRPC")),
    "stsb": Dataset(
        files=_TSV, texts=_PAIR, label="score", kind="regression",
        metrics=("correlations",), submission=_glue("STS-B")),
    "qqp": Dataset(
        files=_TSV, texts=("question1", "question2"), label="is_duplicate",
        labels=_BINARY, metrics=("accuracy", "f1"), submission=_glue("QQP")),
    "mnli": Dataset(
        files={"train": {"": "train.tsv"},
               "eval": {_MATCHED: "dev_matched.tsv",
                        _MISMATCHED: "dev_mismatched.tsv"},
               "predict": {_MATCHED: "test_matched.tsv",
                           _MISMATCHED: "test_mismatched.tsv"}},
        texts=_PAIR, label="gold_label", id="index", labels=_NLI,
        undecided="-",
        submission=("glue", {_MATCHED: "MNLI-m.tsv",
                             _MISMATCHED: "MNLI-mm.tsv"})),
    # GLUE's diagnostic set, for a model of MNLI.
    "ax": Dataset(
        files={"predict": {"": "AX.tsv|diagnostic.tsv|test.tsv"}},
        texts=_PAIR, label="gold_label", id="index", labels=_NLI,
        model_of="mnli", submission=("glue", {"": "AX.tsv"})),
    "qnli": Dataset(
        files=_TSV, texts=("question", "sentence"), labels=_ENTAILED,
        submission=_glue("QNLI")),
    "rte": Dataset(
        files=_TSV, texts=_PAIR, labels=_ENTAILED, submission=_glue("RTE")),
    "wnli": Dataset(
        files=_TSV, texts=_PAIR, labels=_BINARY, submission=_glue("WNLI")),
    "xnli": Dataset(
        files=_files("multinli/multinli.train.{language}.tsv"
                     "|multinli.train.{language}.tsv",
                     "xnli.dev.tsv", "xnli.test.tsv"),
        texts=("premise|sentence1", "hypo|sentence2"),
        label="label|gold_label", labels=_NLI, of_language=True,
        renamed={"contradictory": "contradiction"}),
    "swag": Dataset(
        files=_files("train.csv", "val.csv", "test.csv"),
        texts=("sent1", "sent2", "ending0", "ending1", "ending2", "ending3"),
        labels=("0", "1", "2", "3"), kind="choice", make_pairs=_endings),
    "afqmc": Dataset(
        files=_JSON, texts=_PAIR, labels=_BINARY, submission=_clue("afqmc")),
    "tnews": Dataset(
        files=_JSON, texts=("sentence",), submission=_clue("tnews11"),
        # No 105 and no 111.
        labels=tuple(str(n) for n in range(100, 117) if n not in (105, 111))),
    "iflytek": Dataset(
        files=_JSON, texts=("sentence",), submission=_clue("iflytek"),
        labels=tuple(map(str, range(119)))),
    "cmnli": Dataset(
        files=_JSON, texts=_PAIR, labels=_NLI, undecided="-",
        submission=_clue("cmnli")),
    "ocnli": Dataset(
        files=_files("train.json|train.50k.json", "dev.json", "test.json"),
        texts=_PAIR, labels=_NLI, undecided="-",
        submission=_clue("ocnli_50k")),
    "wsc": Dataset(
        files=_JSON, texts=("text", "target"), labels=("true", "false"),
        make_pairs=_marked_spans, submission=_clue("cluewsc11")),
    "csl": Dataset(
        files=_JSON, texts=("keyword", "abst"), labels=_BINARY,
        make_pairs=_keywords, submission=_clue("csl")),
    "lcqmc": Dataset(
        files=_TEXTS, texts=("text_a|sentence1", "text_b|sentence2"),
        columns=("text_a", "text_b", "label"), labels=_BINARY),
    "chnsenticorp": Dataset(
        files=_TEXTS, texts=("text_a|text|review",), id="qid",
        columns=("label", "text_a"), labels=_BINARY),
    "cnews": Dataset(
        files=_files("cnews.train.txt", "cnews.val.txt", "cnews.test.txt"),
        texts=("text",), columns=("label", "text"),
        labels=("体育", "财经", "房产", "家居", "教育", "科技", "时尚",
                "时政", "游戏", "娱乐"),
        metrics=("accuracy", "macro_f1")),
}
# fmt: on


def key_of(name: str) -> str:
    """Returns a task's name without case and hyphens, a key of `DATASETS`."""
    return name.lower().replace("-", "").replace("_", "")


def find(name: str) -> Dataset:
    """Returns a published task by a name, whatever its case and hyphens.

    Raises:
        ValueError: there is none; says which there are.
    """
    key = key_of(name)
    if key not in DATASETS:
        raise ValueError(
            f"--task_name={name} is none of {', '.join(DATASETS)}, and tsv, "
            "csv or jsonl for files of your own"
        )
    return DATASETS[key]
