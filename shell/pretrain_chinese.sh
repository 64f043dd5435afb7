#!/usr/bin/env bash
# From raw text to a Chinese BERT, in the minutes there are: on a CPU, a GPU or a
# TPU. Prepares the text, measures what the machine does in the time, chooses
# size, length and rate, trains, and makes a page of what came out.
#
# usage: bash shell/pretrain_chinese.sh TEXT OUTPUT [MINUTES] [FLAG...]
#   bash shell/pretrain_chinese.sh texts/ output/mine 30
#   MODEL_TYPE=roformer bash shell/pretrain_chinese.sh texts/ output/mine 30
#   LABELLED=reviews bash shell/pretrain_chinese.sh texts/ output/mine 120
# TEXT is a file or a folder of any form that prepare_corpus.py reads; what is in
# traditional characters is read as simplified. MINUTES, 30 unless given, are those
# of the training: preparing the text comes before, and a page behind. LABELLED
# names a folder with train.tsv and dev.tsv, a label and a text a line: the model is
# then fine-tuned on it, too. MODEL_TYPE=roformer makes a RoFormer of the same size,
# which learns faster (docs/families.md). FLAGs go to run_pretraining.py
# (--tpu_name=NAME).
# Given again, the same command goes on where it was; the plan stays as it is.

if (($# < 2)); then
  sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
TEXT="$(realpath -m "$1")" OUTPUT="$(realpath -m "$2")"
shift 2
MINUTES=30
if (($#)) && [[ "$1" != --* ]]; then
  MINUTES="$1"
  shift
fi
LABELLED="${LABELLED:+$(realpath -m "$LABELLED")}"
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh" ""
cd "$HANLIN"
VOCABULARY=vocab/zh_en_8k.txt
RECIPE=configs/pretrain/chinese.flags
mkdir -p "$OUTPUT"

"$PYTHON" prepare_corpus.py --input_file="$TEXT" --output_dir="$OUTPUT/corpus" \
  --heldout_share=0.02

build() { # RECORDS TEXT FLAG...
  local records="$1" text="$2"
  shift 2
  "$PYTHON" create_pretraining_data.py --input_file="$text" \
    --output_file="$OUTPUT/$records.tfrecord" --vocab_file="$VOCABULARY" \
    --t2s "$@"
}
# For the recipe's first stage, which takes windows of them, and for its last.
build single "$OUTPUT/corpus/*.txt" --masking=dynamic --pair_task=none \
  --fill_sequences=corpus
build pairs "$OUTPUT/corpus/*.txt" --masking=dynamic
# 15 % masks, in as much room as the recipe has for its own.
build heldout "$OUTPUT/corpus/heldout/*.txt" --dupe_factor=1 \
  --max_predictions_per_seq=39

if [[ ! -e "$OUTPUT/plan/plan.flags" ]]; then
  "$PYTHON" -m tools.plan_pretraining --input_file="$OUTPUT/pairs.tfrecord" \
    --minutes="$MINUTES" --output_dir="$OUTPUT/plan" --recipe="$RECIPE" \
    --model_type="${MODEL_TYPE:-bert}" \
    --flags="$*"
fi

"$PYTHON" run_pretraining.py --flagfile="$RECIPE" \
  --flagfile="$OUTPUT/plan/plan.flags" \
  --input_file="$OUTPUT/single.tfrecord;$OUTPUT/pairs.tfrecord" \
  --eval_input_file="$OUTPUT/heldout.tfrecord" --vocab_file="$VOCABULARY" \
  --output_dir="$OUTPUT/model" --do_train --do_eval "$@"

if [[ "$LABELLED" ]]; then
  "$PYTHON" run_classifier.py --task_name=tsv --data_dir="$LABELLED" \
    --bert_config_file="$OUTPUT/plan/bert_config.json" \
    --vocab_file="$VOCABULARY" --init_checkpoint="$OUTPUT/model" \
    --output_dir="$OUTPUT/tuned" --do_train --do_eval --optimizer=adamw \
    --learning_rate=2e-4 --train_batch_size=32
fi

"$PYTHON" -m tools.report_pretraining --model_dir="$OUTPUT/model" \
  --bert_config_file="$OUTPUT/plan/bert_config.json" \
  --vocab_file="$VOCABULARY" --t2s --output_file="$OUTPUT/report.html" \
  --text_file="$(find "$OUTPUT/corpus/heldout" -name '*.txt' | sort | head -n 1)" \
  --plan_file="$OUTPUT/plan/plan.txt" ${LABELLED:+--tuned_dir="$OUTPUT/tuned"}
echo "the model: $OUTPUT/model, for other programs $OUTPUT/model/export"
