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
# --max_predictions_per_seq=20, and =512, =76. The second phase takes the
# weights of the first and starts its optimizer and its schedule anew. FLAGs go
# to both phases, behind those of RECIPE_phase1.flags and RECIPE_phase2.flags
# (RECIPE=configs/pretrain/bert_base, Google's; also
# configs/pretrain/bert_large_lamb, NVIDIA's). With TPU_NAME set each phase runs
# by shell/pretrain_tpu.sh. Given again, the same command goes on where it was.

if (($# < 3)); then
  sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
set -e
RECORDS=("$1" "$2") OUTPUT_DIR="$3"
shift 3
source "$(dirname "${BASH_SOURCE[0]}")/recipes.sh"
RECIPE="${RECIPE:-configs/pretrain/bert_base}"

pretrain() { # PHASE FLAG...
  local flagfile="${RECIPE}_phase$1.flags" output="$OUTPUT_DIR/phase$1"
  local records="${RECORDS[$1 - 1]}"
  shift
  if [[ "${TPU_NAME:-}" ]]; then
    FLAGFILE="$flagfile" bash "$HANLIN/shell/pretrain_tpu.sh" "$TPU_NAME" \
      "$records" "$output" "$@"
  else
    read_recipe "$flagfile"
    "${PYTHON:-python3}" "$HANLIN/run_pretraining.py" "${RECIPE_FLAGS[@]}" \
      --input_file="$records" --output_dir="$output" "$@"
  fi
}

pretrain 1 "$@"
pretrain 2 --init_checkpoint="$OUTPUT_DIR/phase1" "$@"
