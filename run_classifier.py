"""Fine-tunes BERT to classify texts, to rate them, or to choose among them.

python run_classifier.py --bert_config_file=model/bert_config.json \
    --vocab_file=model/vocab.txt --init_checkpoint=model/bert_model.ckpt \
    --task_name=tsv --train_file=train.tsv --eval_file=dev.tsv \
    --output_dir=output/mine --do_train --do_eval
"""

import config_flags
from finetuning import look
from finetuning.classification import reader
from finetuning.classification.config import ClassifierConfig
from storage import inputs, tensorflow_start


def run(config: ClassifierConfig) -> None:
    """Looks at the files, and only then imports what takes seconds."""
    readers = [reader.Reader(x) for x in config.parts.values() or (config,)]
    look.at_files(
        config,
        lambda name: (x for one in readers for x in one.paths(name).values()),
    )
    if config.do_train and config.soft_labels:
        inputs.check_file(config.soft_labels, "soft_labels")
    with tensorflow_start.quiet():
        from finetuning.classification import several, task
    (several if config.parts else task).run(config)


if __name__ == "__main__":
    config_flags.run(run, ClassifierConfig)
