"""Small files in the very forms in which published tasks are handed out."""

import json

MNLI = "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\t" + (
    "sentence2_binary_parse\tsentence1_parse\tsentence2_parse\t"
)
MNLI_ROW = "0\t31\t31n\tfiction\t( A )\t( B )\t(ROOT A)\t(ROOT B)\t"
_XNLI = "language\tgold_label\tsentence1_binary_parse\t" + (
    "sentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1\t"
    "sentence2\tpromptID\tpairID\tgenre\tlabel1\tlabel2\tlabel3\tlabel4\t"
    "label5\tsentence1_tokenized\tsentence2_tokenized\tmatch\n"
)
_XNLI_ROW = "{}\tneutral\t\t\t\t\t{}\t1\t1\tf\tx\tx\tx\tx\tx\ta\tb\tTrue\n"
SWAG = ",video-id,fold-ind,startphrase,sent1,sent2,gold-source,ending0," + (
    "ending1,ending2,ending3"
)
_SWAG_ROW = '0,v,1,p,"She said ""no"", twice.",She,gold,sits.,"runs, fast.",'


def as_json(*rows):
    """Returns lines of JSON."""
    return "".join(json.dumps(x, ensure_ascii=False) + "\n" for x in rows)


def pair(label=None, **others):
    """Returns an object of a task of sentence pairs."""
    label = {} if label is None else {"label": label}
    return others | {"sentence1": "花呗", "sentence2": "借呗"} | label


WSC = {
    "target": {
        "span2_index": 10,
        "span1_index": 3,
        "span1_text": "伤口",
        "span2_text": "它们",
    },
    "text": "裂开的伤口涂满尘土，它们疼",
}
_MARKED = "裂开的_伤口_涂满尘土，[它们]疼"
_KEYWORDS = {"id": 7, "abst": "摘要", "keyword": ["水声", "阵列"]}

# {task: [(split, {file: text}, [(id, label, *the pairs)])]}
FORMS = {
    "CoLA": [
        ("train", {"train.tsv": "gj04\t0\t*\tThey \"it.\ngj04\t1\t\tWe.\n"},
         [(0, "0", ("They \"it.", None)), (1, "1", ("We.", None))]),
        ("predict", {"test.tsv": "index\tsentence\n0\tBill.\n1\tBob.\n"},
         [("0", None, ("Bill.", None)), ("1", None, ("Bob.", None))]),
    ],
    "SST-2": [
        ("eval", {"dev.tsv": "sentence\tlabel\na 'good ' film \t1\n"},
         [(0, "1", ("a 'good ' film ", None))]),
        ("predict", {"test.tsv": "index\tsentence\n4\tuneasy\n"},
         [("4", None, ("uneasy", None))]),
    ],
    "MRPC": [
        ("train", {"train.tsv":
            "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n"
            "1\t70\t71\tHe \"said\tShe \"\"said\"\r\n"},
         [(0, "1", ("He \"said", "She \"\"said\""))]),
        ("train", {"msr_paraphrase_train.txt":
            "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n"
            "0\t70\t71\tA\tB"},
         [(0, "0", ("A", "B"))]),
        ("predict", {"test.tsv":
            "index\t#1 ID\t#2 ID\t#1 String\t#2 String\n9\t70\t71\tA\tB\n"},
         [("9", None, ("A", "B"))]),
    ],
    "STS-B": [
        ("train", {"train.tsv":
            "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\t"
            "sentence1\tsentence2\tscore\n"
            "0\tnews\tMSR\t2012\t0001\tnone\tnone\tA \"man\tB\t3.800\n"},
         [("0", 3.8, ("A \"man", "B"))]),
        ("predict", {"test.tsv":
            "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\t"
            "sentence1\tsentence2\n1\tn\tM\t2012\t02\tnone\tnone\tA\tB\n"},
         [("1", None, ("A", "B"))]),
    ],
    "QQP": [
        ("train", {"train.tsv":
            "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n"
            "13\t21\t22\tWhy?\tHow?\t0\n"},
         [("13", "0", ("Why?", "How?"))]),
        ("predict", {"test.tsv": "id\tquestion1\tquestion2\n0\tWhy?\tHow?\n"},
         [("0", None, ("Why?", "How?"))]),
    ],
    "MNLI": [
        ("train", {"train.tsv":
            f"{MNLI}sentence1\tsentence2\tlabel1\tgold_label\n"
            f"{MNLI_ROW}A\tB\tneutral\tentailment\n"},
         [("0", "entailment", ("A", "B"))]),
        ("predict", {
            f"test_{name}.tsv": f"{MNLI}sentence1\tsentence2\n"
            f"{MNLI_ROW}{name}\tB\n" for name in ("matched", "mismatched")},
         [("0", None, ("matched", "B")), ("0", None, ("mismatched", "B"))]),
    ],
    "QNLI": [
        ("eval", {"dev.tsv":
            "index\tquestion\tsentence\tlabel\n3\tWhat?\tA\tnot_entailment\n"},
         [("3", "not_entailment", ("What?", "A"))]),
    ],
    "RTE": [
        ("eval", {"dev.tsv":
            "index\tsentence1\tsentence2\tlabel\n0\tA\tB\tentailment\n"},
         [("0", "entailment", ("A", "B"))]),
    ],
    "WNLI": [
        ("eval", {"dev.tsv": "index\tsentence1\tsentence2\tlabel\n0\tA\tB\t1"},
         [("0", "1", ("A", "B"))]),
    ],
    "XNLI": [
        ("train", {"multinli/multinli.train.zh.tsv":
            "premise\thypo\tlabel\n从 概念\t产品\tcontradictory\n"},
         [(0, "contradiction", ("从 概念", "产品"))]),
        ("eval", {"xnli.dev.tsv":
            _XNLI + _XNLI_ROW.format("en", "He\tShe")
            + _XNLI_ROW.format("zh", "他\t她")},
         [(0, "neutral", ("他", "她"))]),
    ],
    "SWAG": [
        ("train", {"train.csv": f"{SWAG},label\n{_SWAG_ROW}c,d,1\n"},
         [(0, "1", *(("She said \"no\", twice.", f"She {ending}")
                     for ending in ("sits.", "runs, fast.", "c", "d")))]),
        ("predict", {"test.csv": f"{SWAG}\n{_SWAG_ROW}c,d\n"},
         [(0, None, *(("She said \"no\", twice.", f"She {ending}")
                      for ending in ("sits.", "runs, fast.", "c", "d")))]),
    ],
    "AFQMC": [
        ("eval", {"dev.json": as_json(pair("1"))},
         [(0, "1", ("花呗", "借呗"))]),
        ("predict", {"test.json": as_json(pair(id=5))},
         [(5, None, ("花呗", "借呗"))]),
    ],
    "TNEWS": [
        ("train", {"train.json": as_json(
            {"label": "116", "label_desc": "news_game",
             "sentence": "江疏影\u2028甜", "keywords": "a,b"})},
         [(0, "116", ("江疏影\u2028甜", None))]),
        ("predict", {"test.json": as_json(
            {"id": 0, "sentence": "科普", "keywords": ""})},
         [(0, None, ("科普", None))]),
    ],
    "IFLYTEK": [
        ("train", {"train.json": as_json(
            {"label": "118", "label_des": "其他", "sentence": "赚钱"})},
         [(0, "118", ("赚钱", None))]),
    ],
    "CMNLI": [
        ("eval", {"dev.json": as_json(pair("-"), pair("neutral"))},
         [(1, "neutral", ("花呗", "借呗"))]),
    ],
    "OCNLI": [
        ("train", {"train.50k.json": as_json(
            pair("entailment", level="easy", label0=None, id=3),
            pair("-", level="hard", label0=None, id=4))},
         [(3, "entailment", ("花呗", "借呗"))]),
    ],
    "WSC": [
        ("eval", {"dev.json": as_json(WSC | {"idx": 261, "label": "true"})},
         [(261, "true", (_MARKED, None))]),
        ("predict", {"test.json": as_json(WSC | {"id": 8})},
         [(8, None, (_MARKED, None))]),
    ],
    "CSL": [
        ("train", {"train.json": as_json(_KEYWORDS | {"label": "0"})},
         [(7, "0", ("水声 阵列", "摘要"))]),
    ],
    "LCQMC": [
        ("train", {"train.txt": "喜欢打篮球\t我喜欢\t1\n"},
         [(0, "1", ("喜欢打篮球", "我喜欢"))]),
        ("eval", {"dev.tsv": "text_a\ttext_b\tlabel\n开初婚\t初婚\t0\n"},
         [(0, "0", ("开初婚", "初婚"))]),
    ],
    "ChnSentiCorp": [
        ("train", {"train.tsv": "label\ttext_a\n1\t选择珠江\n"},
         [(0, "1", ("选择珠江", None))]),
        ("predict", {"test.tsv": "qid\tlabel\ttext_a\n6\t0\t房间太小\n"},
         [("6", None, ("房间太小", None))]),
    ],
    "cnews": [
        ("eval", {"cnews.val.txt": "体育\t马晓旭\"意外\n娱乐\t新片\n"},
         [(0, "体育", ("马晓旭\"意外", None)), (1, "娱乐", ("新片", None))]),
    ],
}  # fmt: skip
