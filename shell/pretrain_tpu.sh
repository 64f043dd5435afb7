#!/usr/bin/env bash
# Pretrains on a Cloud TPU and starts again when it is stopped.
#
# usage: bash shell/pretrain_tpu.sh TPU_NAME RECORDS OUTPUT_DIR [FLAG...]
#   bash shell/pretrain_tpu.sh my-tpu 'gs://bucket/records/*.tfrecord' \
#     gs://bucket/bert_base --train_batch_size=512
# On a TPU VM the name is "local"; else it is that of a TPU, of one host or of
# several, with --tpu_zone and --gcp_project where it is not in this machine's, or
# grpc://HOST:8470 of each host, joined by commas. On the first host of a slice
# the chips are the server's: TPU_LOAD_LIBRARY=0 leaves them to it, and is set
# for all names but "local". FLAGs go to run_pretraining.py behind those
# of configs/pretrain/bert_base_tpu.flags (FLAGFILE names another recipe).
# A run that is killed, loses its TPU (status 3) or was told to end and has
# saved (status 4: Cloud TPU sends SIGTERM before maintenance and preemption) is
# started again after WAIT_SECS (30), up to RETRIES (10) times, and goes on from
# its newest checkpoint. A mistake in the flags or the files (status 1) ends the
# script. Told to end itself, by SIGTERM or Ctrl-C, it tells the run, waits
# until that has saved, and ends with its status.
# Not run on TPU hardware.

if (($# < 3)); then
  sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
TPU_NAME="$1" RECORDS="$2" OUTPUT_DIR="$3"
shift 3
source "$(dirname "${BASH_SOURCE[0]}")/recipes.sh"
read_recipe "${FLAGFILE:-configs/pretrain/bert_base_tpu.flags}"
# The environment of a TPU VM is made from requirements-tpu.txt, by hand.
PYTHON="${PYTHON:-python3}"
if [[ "$TPU_NAME" != local ]]; then
  export TPU_LOAD_LIBRARY="${TPU_LOAD_LIBRARY:-0}"
fi

run="" told=""
# The job of the background gets no Ctrl-C of a terminal: SIGTERM stands for it.
trap 'told=1; if [[ -n "$run" ]]; then kill -TERM "$run" 2>/dev/null; fi' \
  TERM INT

# A trapped signal ends `wait` before the run has ended, with a status of no use.
wait_for_run() {
  local last
  wait "$run"
  status=$?
  while kill -0 "$run" 2>/dev/null; do
    wait "$run"
    status=$?
  done
  wait "$run" 2>/dev/null
  last=$?
  # 127: the status was told already.
  if ((last != 127)); then status=$last; fi
}

for ((try = 0; try <= ${RETRIES:-10}; try++)); do
  "$PYTHON" "$HANLIN/run_pretraining.py" "${RECIPE_FLAGS[@]}" \
    --tpu_name="$TPU_NAME" --input_file="$RECORDS" \
    --output_dir="$OUTPUT_DIR" "$@" &
  run=$!
  wait_for_run
  run=""
  # Mistakes would come again.
  case "$status" in
    0 | 1 | 2) exit "$status" ;;
  esac
  if [[ -n "$told" ]]; then exit "$status"; fi
  echo "stopped with status $status; starting again in ${WAIT_SECS:-30} s" >&2
  # In the background too, so that a signal need not wait for it.
  sleep "${WAIT_SECS:-30}" &
  wait $!
  if [[ -n "$told" ]]; then exit "$status"; fi
done
echo "error: stopped ${RETRIES:-10} times; see the messages above" >&2
exit 1
