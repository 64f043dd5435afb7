#!/usr/bin/env bash
# Creates a Cloud TPU VM, runs a command on it, and deletes it; a TPU that was
# taken back is created again, and the command is given again.
#
# usage: TPU_ZONE=ZONE bash shell/tpu_vm.sh NAME COMMAND [ARG...]
#   TPU_ZONE=us-central1-a SPOT=1 SETUP="$(cat setup_tpu.sh)" \
#     bash shell/tpu_vm.sh my-tpu bash hanlin/shell/pretrain_tpu.sh local \
#     'gs://bucket/records/*.tfrecord' gs://bucket/bert_base
# COMMAND is given on the first host, in the home folder, its words as they are
# given here. Environment variables: TPU_ZONE; GCP_PROJECT (gcloud's own);
# ACCELERATOR (v5litepod-8); IMAGE (v2-alpha-tpuv5-lite); SPOT=1 for a cheaper
# TPU that may be taken back at any time; SETUP, a line of shell for every host
# of a new TPU; KEEP=1 to leave the TPU there at the end; RETRIES (10) and
# WAIT_SECS (60), between two tries.
# Statuses 0, 1 and 2 of COMMAND end the script with it, as do mistakes: they
# would come again. Told to end, by SIGTERM or Ctrl-C, it tells COMMAND, waits
# until that has saved, and deletes the TPU. A second signal ends the script at
# once; it says then, as whenever a TPU may be left, how to delete it.
# Not run on Google Cloud.

if (($# < 2)) || [[ -z "${TPU_ZONE:-}" ]]; then
  sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
NAME="$1"
shift
printf -v COMMAND '%q ' "$@"
PLACE=(--zone="$TPU_ZONE" ${GCP_PROJECT:+--project="$GCP_PROJECT"} --quiet)
PID_FILE=.hanlin_run.pid
may_be_there="" told="" job=""

say() { echo "tpu_vm.sh: $*" >&2; }

how_to_delete() {
  local line
  printf -v line '%q ' gcloud compute tpus tpu-vm delete "$NAME" "${PLACE[@]}"
  say "the TPU $NAME may still be there, and is paid for; delete it:"
  say "  $line"
}

# Runs `gcloud compute tpus tpu-vm ...` to its end, whatever signals come.
tpu() { # ACTION [ARG...]
  local status
  gcloud compute tpus tpu-vm "$1" "$NAME" "${PLACE[@]}" "${@:2}" &
  job=$!
  wait "$job"
  status=$?
  while kill -0 "$job" 2>/dev/null; do
    wait "$job"
    status=$?
  done
  job=""
  return "$status"
}

# Prints READY, PREEMPTED and so on; MISSING; nothing where it is not known.
state() {
  local said
  if said="$(gcloud compute tpus tpu-vm describe "$NAME" "${PLACE[@]}" \
    --format='value(state)' 2>&1)"; then
    echo "${said##*$'\n'}"
  elif [[ "$said" == *NOT_FOUND* || "$said" == *"not found"* ]]; then
    echo MISSING
  else
    echo "$said" >&2
  fi
}

delete() {
  say "deleting the TPU $NAME"
  if tpu delete || [[ "$(state)" == MISSING ]]; then
    may_be_there=""
  else
    return 1
  fi
}

on_exit() {
  local status=$?
  trap 'how_to_delete; exit 130' INT TERM HUP
  if [[ -n "$may_be_there" && -n "${KEEP:-}" ]]; then
    how_to_delete
  elif [[ -n "$may_be_there" ]] && ! delete; then
    how_to_delete
  fi
  exit "$status"
}

on_signal() {
  if [[ -n "$told" ]]; then
    trap - EXIT
    if [[ -n "$may_be_there" ]]; then how_to_delete; fi
    exit 130
  fi
  told=1
  say "told to end; a second signal ends at once"
  if [[ "$phase" == run ]]; then
    # Beside the command, over a connection of its own.
    gcloud compute tpus tpu-vm ssh "$NAME" "${PLACE[@]}" --worker=0 \
      --command="kill -TERM \$(cat $PID_FILE)" >&2 &
  fi
}

# Creates the TPU and sets its hosts up.
create() {
  phase=create
  say "creating the TPU $NAME${SPOT:+, spot}"
  may_be_there=1
  tpu create --accelerator-type="${ACCELERATOR:-v5litepod-8}" \
    --version="${IMAGE:-v2-alpha-tpuv5-lite}" ${SPOT:+--spot} || return
  if [[ -n "$told" || -z "${SETUP:-}" ]]; then return; fi
  phase=setup
  tpu ssh --worker=all --command="$SETUP"
}

pause() {
  say "$1; trying again in ${WAIT_SECS:-60} s"
  sleep "${WAIT_SECS:-60}" &
  wait $!
}

phase=""
trap on_exit EXIT
trap on_signal INT TERM HUP
found="$(state)"
if [[ -z "$found" ]]; then
  say "error: gcloud does not say whether there is a TPU $NAME; see above"
  exit 1
elif [[ "$found" != MISSING ]]; then
  say "error: there is a TPU $NAME already, $found: it is left alone"
  exit 1
fi

for ((try = 0; try <= ${RETRIES:-10}; try++)); do
  if [[ -n "$told" ]]; then exit 130; fi
  if [[ -z "$may_be_there" ]] && ! create; then
    if [[ -n "$told" ]]; then exit 130; fi
    # What a failed creation left would be in the way of the next.
    delete || exit 1
    pause "the TPU $NAME could not be created or set up"
    continue
  fi
  if [[ -n "$told" ]]; then exit 130; fi
  phase=run
  tpu ssh --worker=0 \
    --command="echo \$\$ > $PID_FILE; exec $COMMAND"
  status=$?
  phase=""
  case "$status" in
    0 | 1 | 2) exit "$status" ;;
  esac
  if [[ -n "$told" ]]; then exit "$status"; fi
  found="$(state)"
  pause "the command ended with status $status, the TPU is ${found:-not known}"
  case "$found" in
    READY | "") ;;
    *) if [[ -z "$told" ]]; then delete || exit 1; fi ;;
  esac
done
say "error: stopped ${RETRIES:-10} times; see the messages above"
exit 1
