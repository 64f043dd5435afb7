"""Fine-tunes BERT to find named entities, or to tag words in any other way.

python run_ner.py --bert_config_file=model/bert_config.json \
    --vocab_file=model/vocab.txt --init_checkpoint=model/bert_model.ckpt \
    --train_file=train.conll --eval_file=dev.conll --predict_file=test.conll \
    --output_dir=output/ner --ner_head=crf --do_train --do_eval --do_predict
"""

import config_flags
from finetuning import look
from finetuning.tagging import files
from finetuning.tagging.config import TaggingConfig
from storage import tensorflow_start


def run(config: TaggingConfig) -> None:
    """Looks at the files, and only then imports what takes seconds."""
    look.at_files(config, lambda name: [files.find(config, name)])
    with tensorflow_start.quiet():
        from finetuning.tagging import task
    task.run(config)


if __name__ == "__main__":
    config_flags.run(run, TaggingConfig)
