#!/usr/bin/env bash
# Fine-tunes one model on published tasks, one after another, and prints the
# scores of all in a table.
#
# usage: bash shell/finetune.sh MODEL_DIR DATA_DIR OUTPUT_DIR TASK... [--FLAG...]
#   bash shell/finetune.sh chinese_L-12_H-768_A-12 CLUE output \
#     afqmc tnews iflytek cmnli ocnli wsc csl
#   bash shell/finetune.sh uncased_L-12_H-768_A-12 glue output \
#     CoLA SST-2 MRPC STS-B QQP MNLI QNLI RTE --seeds=1,2,3 --do_predict
# MODEL_DIR has vocab.txt, bert_config.json (or config.json) and the checkpoint
# of google-research/bert, Hanlin, Hugging Face or KerasHub. The files of a TASK
# are in DATA_DIR/TASK, its recipe is configs/finetune/TASK.flags (of GLUE
# glue.flags), its results are in OUTPUT_DIR/TASK. FLAGs go to every
# run_classifier.py, behind those of the recipe. A task that fails does not
# stop the others; then the status is 1. Given again, the same command goes on
# where it was.

usage() {
  sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

if (($# < 4)); then usage; fi
MODEL_DIR="$1" DATA_DIR="$2" OUTPUT_DIR="$3"
shift 3
tasks=()
while (($#)) && [[ "$1" != --* ]]; do
  tasks+=("$1")
  shift
done
if ((!${#tasks[@]})); then usage; fi
recipes="$(dirname "$0")/../configs/finetune"
config="$MODEL_DIR/bert_config.json"
if [[ ! -e "$config" ]]; then config="$MODEL_DIR/config.json"; fi

failed=()
for task in "${tasks[@]}"; do
  name=$(tr -d '_-' <<<"${task,,}")
  recipe="$recipes/$name.flags"
  if [[ ! -e "$recipe" ]]; then recipe="$recipes/glue.flags"; fi
  echo "== $task" >&2
  "${PYTHON:-python3}" "$(dirname "$0")/../run_classifier.py" \
    --flagfile="$recipe" --task_name="$name" \
    --data_dir="$DATA_DIR/$task" --output_dir="$OUTPUT_DIR/$task" \
    --bert_config_file="$config" --vocab_file="$MODEL_DIR/vocab.txt" \
    --init_checkpoint="$MODEL_DIR" "$@"
  status=$?
  # Told to end by a signal: it has saved.
  if ((status == 4 || status > 128)); then exit "$status"; fi
  if ((status)); then failed+=("$task"); fi
done

echo
for task in "${tasks[@]}"; do
  results="$OUTPUT_DIR/$task/eval_results.txt"
  if [[ " ${failed[*]} " == *" $task "* ]]; then
    printf '%-14s failed; see the messages above\n' "$task"
  elif [[ -e "$results" ]]; then
    # Of all numbers the scores: no loss, no step.
    scores=$(sed -nE '/loss|global_step|best_/d; s/ = /=/p' "$results")
    printf '%-14s %s\n' "$task" "$(paste -sd ' ' <<<"$scores")"
  fi
done
((!${#failed[@]}))
