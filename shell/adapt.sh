#!/usr/bin/env bash
# Goes on with the pretraining of a model on the texts of a task, without their
# labels, and then fine-tunes it: in one command (Sun et al. 2019, section 4.2).
#
# usage: bash shell/adapt.sh MODEL_DIR OUTPUT_DIR TEXTS --FLAG...
#   bash shell/adapt.sh bert-base-chinese output/reviews train.tsv,dev.tsv \
#     --task_name=tsv --train_file=train.tsv --eval_file=dev.tsv
# MODEL_DIR has vocab.txt, bert_config.json (or config.json) and the checkpoint
# of google-research/bert, Hanlin, Hugging Face or KerasHub. TEXTS are files in
# any form that prepare_corpus.py reads; more of them than have labels help most.
# FLAGs go to run_classifier.py. STEPS, 1000 unless set, are those of the
# pretraining; PREPARING, BUILDING and PRETRAINING hold more flags of its programs, as
# PRETRAINING="--learning_rate=1e-4 --tpu_name=NAME". What is made:
#   OUTPUT_DIR/corpus, records.tfrecord   the texts
#   OUTPUT_DIR/adapted/export             the model that went on learning
#   OUTPUT_DIR/tuned                      the fine-tuned one
# Given again, the same command goes on where it was.

if (($# < 4)); then
  sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
MODEL_DIR="$1" OUTPUT_DIR="$2" TEXTS="$3"
shift 3
here="$(dirname "$0")/.."
python="${PYTHON:-python3}"
config="$MODEL_DIR/bert_config.json"
if [[ ! -e "$config" ]]; then config="$MODEL_DIR/config.json"; fi
read -ra preparing <<<"$PREPARING"
read -ra building <<<"$BUILDING"
read -ra pretraining <<<"$PRETRAINING"
set -e

# A text of the task is one to learn from, be it a few words in any language.
"$python" "$here/prepare_corpus.py" --input_file="$TEXTS" \
  --output_dir="$OUTPUT_DIR/corpus" --heldout_share=0 --norequire_sentence \
  --min_document_chars=1 --min_document_letters=0 --languages=all \
  "${preparing[@]}"
# One text after another in a row, so that short ones waste nothing.
"$python" "$here/create_pretraining_data.py" --masking=dynamic \
  --pair_task=none --fill_sequences=corpus \
  --input_file="$OUTPUT_DIR/corpus/*.txt" \
  --output_file="$OUTPUT_DIR/records.tfrecord" \
  --vocab_file="$MODEL_DIR/vocab.txt" "${building[@]}"
"$python" "$here/run_pretraining.py" --do_train --nouse_nsp \
  --bert_config_file="$config" --init_checkpoint="$MODEL_DIR" \
  --input_file="$OUTPUT_DIR/records.tfrecord" \
  --output_dir="$OUTPUT_DIR/adapted" --num_train_steps="${STEPS:-1000}" \
  --warmup_proportion=0.1 "${pretraining[@]}"
"$python" "$here/run_classifier.py" --do_train --do_eval \
  --bert_config_file="$config" --vocab_file="$MODEL_DIR/vocab.txt" \
  --init_checkpoint="$OUTPUT_DIR/adapted/export" \
  --output_dir="$OUTPUT_DIR/tuned" "$@"
