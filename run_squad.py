"""Finds answers to questions in texts: SQuAD, CMRC 2018, DRCD.

python run_squad.py --vocab_file=model/vocab.txt \
    --bert_config_file=model/bert_config.json \
    --init_checkpoint=model/bert_model.ckpt --output_dir=output/squad \
    --do_train --train_file=train-v1.1.json \
    --do_predict --predict_file=dev-v1.1.json
"""

import config_flags
from finetuning import look
from finetuning.question_answering import files
from finetuning.question_answering.config import QuestionAnsweringConfig
from storage import tensorflow_start


def run(config: QuestionAnsweringConfig) -> None:
    """Looks at the files, and only then imports what takes seconds."""
    look.at_files(config, lambda name: files.find(config, name)[:1])
    with tensorflow_start.quiet():
        from finetuning.question_answering import task
    task.run(config)


if __name__ == "__main__":
    config_flags.run(run, QuestionAnsweringConfig)
