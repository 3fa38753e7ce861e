#!/bin/sh
# A run that is killed at any instant loses nothing, whatever it trains, nor does a long evaluation. KILLS=200 SIGNALS=100
# does the same more often and says what happened.
. "$(dirname "$0")/lib.sh"
{ make_images && make_text && make_span && make_lists && make_scenes; } >/dev/null || exit 1
export FOCI="$foci"
killed() { # KILLS SIGNAL CONFIG
    sh "$root/tests/crash.sh" "$@" >told || { cat told; return 1; }
    cat told >>said
}
check "killed ${KILLS:-12} times" killed "${KILLS:-12}" KILL vit.yaml
check "interrupted ${SIGNALS:-6} times" killed "${SIGNALS:-6}" TERM vit.yaml
check "a segmenter" killed "${KILLS:-5}" KILL city.yaml
check "an encoder of sequences" killed "${KILLS:-5}" KILL encoder.yaml
check "a language model with a memory and experts" killed "${KILLS:-5}" KILL span.yaml

# CONFIG OPTION...: the sums of a walk that is killed three times, at other thread counts.
evaluated() {
    config=$1
    shift
    runs train "$config.yaml" --out "$config" --set train.max_steps=2
    rm -f whole.csv cut.csv
    runs eval "$config" "$@" --out whole.csv --json
    cp out whole.json
    for threads in 1 2 3; do
        "$foci" eval "$config" "$@" --out cut.csv --threads $threads >/dev/null 2>&1 &
        process=$!
        rows=$({ cat cut.csv 2>/dev/null || :; } | wc -l)
        until [ "$({ cat cut.csv 2>/dev/null || :; } | wc -l)" -gt $((rows + 1)) ] || ! kill -0 $process 2>/dev/null; do sleep 0.01; done
        kill -9 $process 2>/dev/null || :
        wait $process 2>/dev/null || :
    done
    runs eval "$config" "$@" --out cut.csv --json
    same whole.json out
    same whole.csv cut.csv
}
check "an evaluation of a language model" evaluated lm --walk sliding --split test --set train.eval_batch=16
check "an evaluation with a memory" evaluated span --split test --rows 1
cat said
finish
