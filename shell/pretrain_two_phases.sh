#!/usr/bin/env bash
# Pretrains with short sequences, then with long ones: most of what a model
# learns it learns as well from 128 tokens, at a fraction of the cost, and
# positions beyond them need the rest (Devlin et al. 2019, appendix A.2).
#
# usage: bash shell/pretrain_two_phases.sh RECORDS_128 RECORDS_512 OUTPUT_DIR \
#          [FLAG...]
#   bash shell/pretrain_two_phases.sh 'records/128/*.tfrecord' \
#     'records/512/*.tfrecord' output/bert_base --bert_config_file=my_config.json
# The records: create_pretraining_data.py --max_seq_length=128
# --max_predictions_per_seq=20, and =512, =76. FLAGs go behind those of the
# recipe. RECIPE=configs/pretrain/bert_base, Google's, is one run of two stages,
# with one optimizer and one schedule, in OUTPUT_DIR (RECIPE_stages.flags).
# A recipe without such a file is two runs, in
# OUTPUT_DIR/phase1 and /phase2: the second takes the weights of the first and
# starts its optimizer and its schedule anew, and FLAGs go to both, behind those
# of RECIPE_phase1.flags and RECIPE_phase2.flags
# (RECIPE=configs/pretrain/bert_large_lamb, NVIDIA's). What was begun as two runs
# goes on so. With TPU_NAME set each run goes by shell/pretrain_tpu.sh. Given
# again, the same command goes on where it was.

if (($# < 3)); then
  sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
set -e
RECORDS=("$1" "$2") OUTPUT_DIR="$3"
shift 3
source "$(dirname "${BASH_SOURCE[0]}")/recipes.sh"
RECIPE="${RECIPE:-configs/pretrain/bert_base}"

pretrain() { # FLAGFILE RECORDS OUTPUT_DIR FLAG...
  local flagfile="$1" records="$2" output="$3"
  shift 3
  if [[ "${TPU_NAME:-}" ]]; then
    FLAGFILE="$flagfile" bash "$HANLIN/shell/pretrain_tpu.sh" "$TPU_NAME" \
      "$records" "$output" "$@"
  else
    read_recipe "$flagfile"
    "${PYTHON:-python3}" "$HANLIN/run_pretraining.py" "${RECIPE_FLAGS[@]}" \
      --input_file="$records" --output_dir="$output" "$@"
  fi
}

is_begun_in_two() {
  if [[ "$OUTPUT_DIR" == *://* ]]; then
    PYTHONPATH="$HANLIN" "${PYTHON:-python3}" -c 'import sys
from storage import file_io
sys.exit(not file_io.is_directory(sys.argv[1]))' "$OUTPUT_DIR/phase1"
  else
    [[ -d "$OUTPUT_DIR/phase1" ]]
  fi
}

stages="$(find_file "${RECIPE}_stages.flags")"
if [[ -e "$stages" ]] && ! is_begun_in_two; then
  pretrain "${RECIPE}_stages.flags" "${RECORDS[0]};${RECORDS[1]}" \
    "$OUTPUT_DIR" "$@"
else
  pretrain "${RECIPE}_phase1.flags" "${RECORDS[0]}" "$OUTPUT_DIR/phase1" "$@"
  pretrain "${RECIPE}_phase2.flags" "${RECORDS[1]}" "$OUTPUT_DIR/phase2" \
    --init_checkpoint="$OUTPUT_DIR/phase1" "$@"
fi
