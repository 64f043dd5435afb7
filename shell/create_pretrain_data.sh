#!/usr/bin/env bash
# Builds the records of the numbered shards START to END, some at a time.
#
# usage: bash shell/create_pretrain_data.sh START END [FLAG...]
#   INPUT   pattern of the shards       (corpus/clue_pretrain_%07d.txt)
#   OUTPUT  pattern of the record files (records/clue_pretrain128_%d.tfrecord)
#   LOG     folder of one log a shard   (records/log)
#   JOBS    shards at a time            (as many as cores)
# as environment variables; FLAGs go to create_pretraining_data.py, for example
#   bash shell/create_pretrain_data.sh 1 100 --dupe_factor=5 --t2s
# Paths count from the folder where the command is given; a log goes on where it
# ended. Each shard has a seed of its own, 12345 and its number. A shard that is
# finished is left alone, so the same command goes on after a stop.
# After CLUEbenchmark/CLUEPretrainedModels, create_pretrain_data.sh.

if (($# < 2)); then
  sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
START="$1" END="$2"
shift 2
FLAGS=("$@")
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh" ""

INPUT="${INPUT:-corpus/clue_pretrain_%07d.txt}"
OUTPUT="${OUTPUT:-records/clue_pretrain128_%d.tfrecord}"
LOG="${LOG:-records/log}"
JOBS="${JOBS:-$(nproc)}"
mkdir -p "$LOG"

build() { # NUMBER
  local number="$1" log="$LOG/$1.txt"
  echo "== $(date '+%F %T')" >>"$log"
  # shellcheck disable=SC2059 # the patterns are formats
  if "$PYTHON" "$HANLIN/create_pretraining_data.py" \
    --input_file="$(printf "$INPUT" "$number")" \
    --output_file="$(printf "$OUTPUT" "$number")" \
    --vocab_file="$HANLIN/vocab/zh_en_8k.txt" --random_seed=$((12345 + number)) \
    --num_workers=1 \
    "${FLAGS[@]}" >>"$log" 2>&1; then
    echo "shard $number: $(grep '^records \|already built' "$log" \
      | tail -n 1 | sed 's/.*\] //')"
  else
    echo "shard $number failed: $(tail -n 1 "$log") ($log)"
    echo "$number" >>"$LOG/failed"
  fi
}

rm -f "$LOG/failed"
for ((number = START; number <= END; number++)); do
  while (($(jobs -rp | wc -l) >= JOBS)); do
    wait -n
  done
  build "$number" &
done
wait
if [[ -e "$LOG/failed" ]]; then
  echo "error: shards failed: $(sort -n "$LOG/failed" | tr '\n' ' ')" >&2
  exit 1
fi
echo "shards $START to $END are built"
