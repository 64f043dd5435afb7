#!/usr/bin/env bash
# From raw sample texts to a pretrained tiny BERT, on the CPU, in minutes.
# usage: bash shell/quickstart.sh [OUTPUT_DIR]

OUTPUT="$(realpath -m "${1:-$(dirname "$0")/../output/quickstart}")"
source "$(dirname "$0")/environment.sh" ""
cd "$HANLIN"
LOG="$OUTPUT/log"
mkdir -p "$LOG"

# Runs a command, keeps what it says in files, shows the lines that match
# PATTERN at once, and shows all but TensorFlow's own lines if it fails.
step() { # NAME PATTERN COMMAND...
  local name="$1" pattern="$2"
  shift 2
  # The pipe comes first: behind >FILE it would write into the file.
  if ! "$@" 2> >(tee "$LOG/$name.err" | grep --line-buffered "$pattern" \
    | sed -u -E 's/^[^]]*\] (.{0,96}).*/  \1/') >"$LOG/$name.txt"; then
    echo "error: this command failed, its messages follow" >&2
    echo "  $*" >&2
    grep -v '^[IWE]0000\|^WARNING: All log\|^To enable the' \
      "$LOG/$name.err" >&2 || true
    return 1
  fi
}

figure() { # NAME FILE
  awk -v name="$1" '$1 == name {printf "%.3f", $3}' "$2"
}

row() { # NAME
  printf '  %-24s %-18s %s\n' "$1" "$(figure "$1" "$OUTPUT/eval_train.txt")" \
    "$(figure "$1" "$OUTPUT/eval_heldout.txt")"
}

start=$SECONDS
echo "preparing a corpus of samples/raw: JSON lines, and text in GB18030"
step corpus "already prepared" "$PYTHON" prepare_corpus.py \
  --input_file=samples/raw --output_dir="$OUTPUT/corpus" --heldout_share=0.2
sed 's/^/  /' "$LOG/corpus.txt"

for part in train heldout; do
  text="$OUTPUT/corpus"
  [[ $part == train ]] || text="$OUTPUT/corpus/heldout"
  echo "building records of ${text#"$OUTPUT/"}, traditional Chinese simplified"
  step "records_$part" "already built" "$PYTHON" create_pretraining_data.py \
    --input_file="$text/*.txt" --output_file="$OUTPUT/$part.tfrecord" \
    --vocab_file=vocab/zh_en_8k.txt --t2s --dupe_factor=1
  sed 's/^/  /' "$LOG/records_$part.txt"
done

train=("$PYTHON" run_pretraining.py
  --flagfile=configs/pretrain/quickstart.flags
  --input_file="$OUTPUT/train.tfrecord" --output_dir="$OUTPUT/model")
echo "training a BERT of 2 layers for 600 steps"
step training ' step \|fresh\|resumed' "${train[@]}" --do_train

for part in train heldout; do
  text="$OUTPUT/corpus"
  [[ $part == train ]] || text="$OUTPUT/corpus/heldout"
  echo "evaluating on ${text#"$OUTPUT/"}"
  step "evaluation_$part" "^$" "${train[@]}" --do_eval \
    --eval_input_file="$OUTPUT/$part.tfrecord"
  cp "$OUTPUT/model/eval_results.txt" "$OUTPUT/eval_$part.txt"
done

accuracy="$(figure masked_lm_accuracy "$OUTPUT/eval_train.txt")"
cat <<REPORT

done in $((SECONDS - start)) s, the installation not counted

                           training sample    held-out text
$(row masked_lm_accuracy)
$(row masked_lm_loss)
$(row next_sentence_accuracy)

The model knows its 40 documents by heart, which shows that everything works;
text it has not seen it cannot know from so little.

  corpus       $OUTPUT/corpus, and a page: corpus.report.html
  records      $OUTPUT/train.tfrecord
  checkpoints  $OUTPUT/model
  curves       $PYTHON -m tensorboard.main --logdir $OUTPUT/model

next: your own text, whatever form it has
  $PYTHON prepare_corpus.py --input_file=TEXT --output_dir=corpus
  $PYTHON create_pretraining_data.py --input_file='corpus/*.txt' --output_file=records.tfrecord --vocab_file=vocab/zh_en_8k.txt --t2s
  $PYTHON run_pretraining.py --bert_config_file=configs/bert_tiny.json --input_file=records.tfrecord --output_dir=model --do_train
REPORT

awk -v accuracy="$accuracy" 'BEGIN {exit !(accuracy >= 0.95)}' || {
  echo "error: masked_lm_accuracy on the training sample is below 0.95" >&2
  exit 1
}
