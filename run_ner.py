"""Fine-tunes BERT to find named entities, or to tag words in any other way.

python run_ner.py --bert_config_file=model/bert_config.json \
    --vocab_file=model/vocab.txt --init_checkpoint=model/bert_model.ckpt \
    --train_file=train.conll --eval_file=dev.conll --predict_file=test.conll \
    --output_dir=output/ner --ner_head=crf --do_train --do_eval --do_predict
"""

import os

# TensorFlow's C++ code tells of every kernel it prepares; read at its import.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import config_flags  # noqa: E402
from finetuning.tagging import config, task  # noqa: E402

if __name__ == "__main__":
    config_flags.run(task.run, config.TaggingConfig)
