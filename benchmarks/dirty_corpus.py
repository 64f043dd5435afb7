"""Says by pretraining whether preparing a corpus is worth it.

Of the documents in --corpus some are held out. The others become a raw text as
it is found: a paragraph a line, some documents several times, notices before
and behind them. A tiny model is trained for the same steps, from the same
random weights, on records of the raw text as it is and on those of what
prepare_corpus.py makes of it, and evaluated on the held-out documents.

python -m benchmarks.dirty_corpus --corpus=TEXT,TEXT --output_dir=FOLDER
"""

import hashlib
import pathlib
import random
import subprocess
import sys

from absl import app, flags

_CORPUS = flags.DEFINE_list(
    "corpus", None, "Texts, a sentence a line, blank lines.", required=True
)
_OUTPUT = flags.DEFINE_string("output_dir", None, "Work folder.", required=True)
_MEGABYTES = flags.DEFINE_integer("megabytes", 20, "Text before it is dirtied.")
_STEPS = flags.DEFINE_integer("steps", 1500, "Training steps of each.")
_LENGTH = flags.DEFINE_integer("length", 128, "Tokens of a record.")
_BATCH = flags.DEFINE_integer("batch", 32, "Records of a step.")
_RATE = flags.DEFINE_float("rate", 3e-4, "Peak learning rate.")
_MODEL = flags.DEFINE_string("model", "configs/bert_tiny.json", "Its shape.")
_SEEDS = flags.DEFINE_list("seeds", ["1"], "Seeds of the first weights.")
_HELD_OUT = 0.04
_VOCABULARY = "vocab/zh_en_8k.txt"
# What sites put around a text, with a place for its number.
_BEFORE = (
    "首页 > 资讯 > 正文 第{}条",
    "您现在的位置：首页 - 频道 - 内容页，编号{}",
    "发布时间：2019-03-{} 来源：本站整理 字号：大 中 小 打印 收藏",
)
_BEHIND = (
    "责任编辑：小王 {}",
    "版权所有，未经授权不得转载，违者本站将依法追究其法律责任，备案号{}",
    "上一篇：没有了 下一篇：没有了 相关阅读 {} 条",
    "扫描二维码关注我们的公众号，每天第一时间获取最新资讯，已有{}人关注",
)


def documents():
    """The documents of the corpora: lists of sentences."""
    for path in _CORPUS.value:
        text = pathlib.Path(path).read_text(encoding="utf-8")
        yield from (x.split("\n") for x in text.strip().split("\n\n"))


def is_held_out(document):
    digest = hashlib.sha256("".join(document).encode()).digest()
    return digest[0] < 256 * _HELD_OUT


def write(folder):
    """Writes raw.txt and heldout.txt."""
    rng = random.Random(1)
    kept = list(documents())
    rng.shuffle(kept)
    heldout = [x for x in kept if is_held_out(x)][:400]
    size, chosen = 0, []
    for document in (x for x in kept if not is_held_out(x)):
        if size > _MEGABYTES.value * 1e6:
            break
        size += len("".join(document).encode())
        # Three of ten stand several times, as in news and in crawls.
        times = rng.randint(2, 8) if rng.random() < 0.3 else 1
        chosen += [document] * times
    rng.shuffle(chosen)
    raw = (_dirtied(document, rng) for document in chosen)
    (folder / "raw.txt").write_text("\n\n".join(raw), encoding="utf-8")
    text = "\n\n".join("\n".join(document) for document in heldout)
    (folder / "heldout.txt").write_text(text, encoding="utf-8")


def _dirtied(document, rng):
    lines = []
    sentences = list(document)
    while sentences:
        count = rng.randint(2, 6)
        lines.append("".join(sentences[:count]))
        del sentences[:count]
    if rng.random() < 0.6:
        lines.insert(0, rng.choice(_BEFORE).format(rng.randint(1, 28)))
        lines.append(rng.choice(_BEHIND).format(rng.randint(1, 999)))
    return "\n".join(lines)


def run(script, *arguments):
    """Runs one of the project's scripts."""
    subprocess.run([sys.executable, script, *arguments], check=True)


def build(text, records):
    """Builds records."""
    run(
        "create_pretraining_data.py",
        f"--input_file={text}",
        f"--output_file={records}",
        f"--vocab_file={_VOCABULARY}",
        f"--max_seq_length={_LENGTH.value}",
        f"--max_predictions_per_seq={round(0.16 * _LENGTH.value)}",
        "--dupe_factor=1",
        "--t2s",
    )


def train(folder, name, seed):
    """Trains on the records `name`; returns what was evaluated."""
    output = folder / f"model-{name}-{seed}"
    run(
        "run_pretraining.py",
        f"--bert_config_file={_MODEL.value}",
        f"--input_file={folder}/{name}.tfrecord",
        f"--eval_input_file={folder}/heldout.tfrecord",
        f"--output_dir={output}",
        f"--max_seq_length={_LENGTH.value}",
        f"--max_predictions_per_seq={round(0.16 * _LENGTH.value)}",
        f"--train_batch_size={_BATCH.value}",
        f"--num_train_steps={_STEPS.value}",
        f"--num_warmup_steps={_STEPS.value // 10}",
        f"--learning_rate={_RATE.value}",
        f"--seed={seed}",
        "--do_train",
        "--do_eval",
    )
    lines = (output / "eval_results.txt").read_text().splitlines()
    return {x.split(" = ")[0]: float(x.split(" = ")[1]) for x in lines}


def main(_):
    folder = pathlib.Path(_OUTPUT.value).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    write(folder)
    run(
        "prepare_corpus.py",
        f"--input_file={folder}/raw.txt",
        f"--output_dir={folder}/corpus",
        "--heldout_share=0",
    )
    build(f"{folder}/heldout.txt", f"{folder}/heldout.tfrecord")
    build(f"{folder}/raw.txt", f"{folder}/raw.tfrecord")
    build(f"{folder}/corpus/*.txt", f"{folder}/prepared.tfrecord")
    names = ("masked_lm_loss", "masked_lm_accuracy", "next_sentence_accuracy")
    rows = []
    for seed in _SEEDS.value:
        for name in ("raw", "prepared"):
            found = train(folder, name, seed)
            cells = "".join(f"{found[x]:>24.4f}" for x in names)
            rows.append(f"{name:<10}{seed:>6}{cells}")
    print(f"{'':<10}{'seed':>6}" + "".join(f"{x:>24}" for x in names))
    print("\n".join(rows))


if __name__ == "__main__":
    app.run(main)
