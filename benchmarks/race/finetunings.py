"""The tasks that pretrained contenders are fine-tuned on, and scored by."""

import dataclasses
import gzip
import os
import shutil

from storage import file_io


@dataclasses.dataclass(frozen=True)
class Tuning:
    """A task whose files are TASK.train.ENDING and TASK.dev.ENDING, or .gz.

    Args:
        script: the program, and its flags of this task.
        score: the number of eval_results.txt to show.
    """

    ending: str
    script: tuple[str, ...]
    score: str

    def unpack(self, name: str, source: str, target: str) -> None:
        """Puts train and dev into a folder, under the names a script knows."""
        file_io.make_directory(target)
        for split in ("train", "dev"):
            path = os.path.join(source, f"{name}.{split}.{self.ending}")
            made = os.path.join(target, f"{split}.{self.ending}")
            if os.path.exists(made):
                continue
            if os.path.exists(path):
                file_io.copy(path, made)
            elif os.path.exists(path + ".gz"):
                with (
                    gzip.open(path + ".gz") as packed,
                    file_io.whole(made) as out,
                ):
                    shutil.copyfileobj(packed, out)
            else:
                raise ValueError(f"--finetune_dir has no {path}, nor {path}.gz")


_PAIRS_OR_TEXTS = ("run_classifier.py", "--task_name=tsv")
TUNINGS = {
    "zh_reviews": Tuning("tsv", _PAIRS_OR_TEXTS, "eval_accuracy"),
    "zh_title_match": Tuning("tsv", _PAIRS_OR_TEXTS, "eval_accuracy"),
    "zh_ner_pku": Tuning("conll", ("run_ner.py",), "eval_f1"),
}
# The same for all, as small models like it.
FLAGS = (
    "--do_train",
    "--do_eval",
    "--max_seq_length=128",
    "--train_batch_size=32",
    "--eval_batch_size=32",
    "--optimizer=adamw",
)
