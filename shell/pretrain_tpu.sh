#!/usr/bin/env bash
# Pretrains on a Cloud TPU and starts again when it is stopped.
#
# usage: bash shell/pretrain_tpu.sh TPU_NAME RECORDS OUTPUT_DIR [FLAG...]
#   bash shell/pretrain_tpu.sh my-tpu 'gs://bucket/records/*.tfrecord' \
#     gs://bucket/bert_base --train_batch_size=512
# On a TPU VM the name is "local". FLAGs go to run_pretraining.py behind those
# of configs/pretrain/bert_base_tpu.flags (FLAGFILE names another recipe).
# A run that is killed or loses its TPU (status 3) is started again, up to
# RETRIES (10) times, and goes on from its newest checkpoint. A mistake in the
# flags or the files (status 1) ends the script.
# Not run on TPU hardware.

if (($# < 3)); then
  sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
TPU_NAME="$1" RECORDS="$2" OUTPUT_DIR="$3"
shift 3
cd "$(dirname "$0")/.."
# The environment of a TPU VM is made from requirements-tpu.txt, by hand.
PYTHON="${PYTHON:-python3}"

for ((try = 0; try <= ${RETRIES:-10}; try++)); do
  "$PYTHON" run_pretraining.py \
    --flagfile="${FLAGFILE:-configs/pretrain/bert_base_tpu.flags}" \
    --tpu_name="$TPU_NAME" --input_file="$RECORDS" \
    --output_dir="$OUTPUT_DIR" "$@"
  status=$?
  # Mistakes would come again; 130 is an interrupt by hand.
  case "$status" in
    0 | 1 | 2 | 130) exit "$status" ;;
  esac
  echo "stopped with status $status; starting again in 30 s" >&2
  sleep 30
done
echo "error: stopped ${RETRIES:-10} times; see the messages above" >&2
exit 1
