"""Fine-tunes BERT to classify texts, to rate them, or to choose among them.

python run_classifier.py --bert_config_file=model/bert_config.json \
    --vocab_file=model/vocab.txt --init_checkpoint=model/bert_model.ckpt \
    --task_name=tsv --train_file=train.tsv --eval_file=dev.tsv \
    --output_dir=output/mine --do_train --do_eval
"""

import os

# TensorFlow's C++ code tells of every kernel it prepares; read at its import.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import config_flags  # noqa: E402
from finetuning.classification import config, task  # noqa: E402

if __name__ == "__main__":
    config_flags.run(task.run, config.ClassifierConfig)
