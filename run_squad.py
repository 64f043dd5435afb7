"""Finds answers to questions in texts: SQuAD, CMRC 2018, DRCD.

python run_squad.py --vocab_file=model/vocab.txt \
    --bert_config_file=model/bert_config.json \
    --init_checkpoint=model/bert_model.ckpt --output_dir=output/squad \
    --do_train --train_file=train-v1.1.json \
    --do_predict --predict_file=dev-v1.1.json
"""

import os

# TensorFlow's C++ code tells of every kernel it prepares; read at its import.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import config_flags  # noqa: E402
from finetuning.question_answering import config, task  # noqa: E402

if __name__ == "__main__":
    config_flags.run(task.run, config.QuestionAnsweringConfig)
