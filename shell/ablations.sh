#!/usr/bin/env bash
# The ablations of BERT's paper (Devlin et al. 2019, table 5) at a size of your
# choice: three models of the same shape on the same records for the same steps,
# fine-tuned on your tasks, in one table.
#
#   masked LM + NSP    BERT's two losses
#   no NSP             masked words alone
#   LTR & no NSP       each token from those before it, in fine-tuning, too
#     + BiLSTM         that model, below an LSTM in each direction
#
# usage: TASKS=FOLDER bash shell/ablations.sh TEXT OUTPUT [STEPS] [FLAG...]
#   TASKS=tasks bash shell/ablations.sh texts/ output/ablations 20000
# TEXT is a file or a folder of any form that prepare_corpus.py reads. STEPS, 10,000
# unless given, are those of each training. Each folder in TASKS is a task: train.tsv
# and dev.tsv with a header (label and text, or label, text_a and text_b), whose score
# is the accuracy; or train.conll and dev.conll, a word and its label a line, whose
# score is F1. They may end in .gz. All taggers have a CRF, so that an LSTM is all that
# the last row has besides; classifiers of texts have it in their pooler's place.
# FLAGs go to run_pretraining.py. CONFIG names the shape, configs/bert_mini.json unless
# set; VOCABULARY the vocabulary; TUNING flags of the fine-tunings, such as
# TUNING="--num_train_epochs=1 --seeds=1,2".
# Given again, the same command goes on where it was.

if (($# < 2)) || [[ ! -d "${TASKS:-}" ]]; then
  sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
TEXT="$(realpath -m "$1")" OUTPUT="$(realpath -m "$2")" TASKS="$(realpath "$TASKS")"
shift 2
STEPS=10000
if (($#)) && [[ "$1" != --* ]]; then
  STEPS="$1"
  shift
fi
source "$(dirname "${BASH_SOURCE[0]}")/recipes.sh"
CONFIG="$(realpath "$(find_file "${CONFIG:-configs/bert_mini.json}")")"
VOCABULARY="$(realpath "$(find_file "${VOCABULARY:-vocab/zh_en_8k.txt}")")"
if [[ -z "${PYTHON:-}" ]]; then
  source "$HANLIN/shell/environment.sh" ""
fi
set -euo pipefail
cd "$HANLIN"
read -ra TUNING <<<"${TUNING:-}"
mkdir -p "$OUTPUT"

"$PYTHON" prepare_corpus.py --input_file="$TEXT" --output_dir="$OUTPUT/corpus" \
  --heldout_share=0.02
for part in train heldout; do
  text="$OUTPUT/corpus"
  [[ $part == train ]] || text="$OUTPUT/corpus/heldout"
  "$PYTHON" create_pretraining_data.py --input_file="$text/*.txt" \
    --output_file="$OUTPUT/$part.tfrecord" --vocab_file="$VOCABULARY" --t2s \
    --masking=dynamic
done
# The same shape, whose tokens see those to their left alone.
sed '0,/{/s//{"is_decoder": true,/' "$CONFIG" >"$OUTPUT/left_to_right.json"

pretrain() { # NAME CONFIG FLAG...
  local name="$1" config="$2"
  shift 2
  "$PYTHON" run_pretraining.py --bert_config_file="$config" \
    --input_file="$OUTPUT/train.tfrecord" --vocab_file="$VOCABULARY" \
    --eval_input_file="$OUTPUT/heldout.tfrecord" --output_dir="$OUTPUT/$name" \
    --do_train --do_eval --num_train_steps="$STEPS" --warmup_proportion=0.1 \
    --train_batch_size=32 --learning_rate=5e-4 --optimizer=adamw \
    --output_bias_init=frequency "$@"
}
pretrain masked_lm_nsp "$CONFIG" "$@"
pretrain no_nsp "$CONFIG" --nouse_nsp "$@"
pretrain left_to_right "$OUTPUT/left_to_right.json" --nouse_nsp \
  --objective=left_to_right "$@"

# Fine-tunes on a task and leaves its score.
tune() { # ROW MODEL TASK
  local row="$1" model="$2" task="$3" config="$CONFIG" tagger=crf classifier=pooled
  local output="$OUTPUT/tuned/$row/$task" program score=eval_accuracy
  [[ $model == left_to_right ]] && config="$OUTPUT/left_to_right.json"
  [[ $row == bilstm ]] && tagger=bilstm_crf classifier=bilstm
  if compgen -G "$TASKS/$task/train.conll*" >/dev/null; then
    program=(run_ner.py "--ner_head=$tagger") score=eval_f1
  else
    program=(run_classifier.py --task_name=tsv "--classifier_head=$classifier")
  fi
  "$PYTHON" "${program[@]}" --data_dir="$TASKS/$task" --output_dir="$output" \
    --bert_config_file="$config" --vocab_file="$VOCABULARY" \
    --init_checkpoint="$OUTPUT/$model/export" --do_train --do_eval \
    --optimizer=adamw --learning_rate=2e-4 ${TUNING[@]+"${TUNING[@]}"}
  SCORE="$(awk -v name="$score" '$1 == name {printf "%.3f", $3}' \
    "$output/eval_results.txt")"
}

tasks=()
for folder in "$TASKS"/*/; do
  tasks+=("$(basename "$folder")")
done
table="$OUTPUT/table.txt"
{
  echo "after $STEPS steps of each, $(basename "$CONFIG")"
  printf '%-18s' ""
  printf ' %14s' "${tasks[@]}"
  echo
} >"$table.unfinished"
while read -r row model title; do
  printf '%-18s' "${title//_/ }" >>"$table.unfinished"
  for task in "${tasks[@]}"; do
    tune "$row" "$model" "$task" </dev/null
    printf ' %14s' "$SCORE" >>"$table.unfinished"
  done
  echo >>"$table.unfinished"
done <<'ROWS'
nsp masked_lm_nsp masked_LM_+_NSP
no_nsp no_nsp no_NSP
left_to_right left_to_right LTR_&_no_NSP
bilstm left_to_right __+_BiLSTM
ROWS
mv "$table.unfinished" "$table"
echo
cat "$table"
