#!/bin/sh
# Kills a training run again and again, at any instant, and resumes it each time, with 1, 2 and 3 threads in turn: it must
# end in the weights of the run that was left alone, and every checkpoint that is there must be whole. Ends with a line
# that says what happened, or with 1.
#
#   FOCI=build/foci tests/crash.sh KILLS SIGNAL [CONFIG]     SIGNAL: KILL, or TERM (INT and TERM in turn)
#
# Random numbers come from SEED (default 1). The config must exist in the current folder; train.checkpoint_every=1 makes
# saving a good part of the run.
set -eu
kills=$1 signal=$2 config=${3:-vit.yaml}
steps=$((kills * 4 + 40))
keys="--set train.epochs=100000 --set train.max_steps=$steps --set train.checkpoint_every=1 --set train.eval_every=37 --set train.ema_decay=0.9"
seed=${SEED:-1}
random() { # LIMIT: drawn becomes 0 .. LIMIT - 1
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    drawn=$((seed / 65536 % $1))
}
step_of() { head -c 4096 "$1" | LC_ALL=C grep -ao '"step":"[0-9]*"' | head -n 1 | tr -dc 0-9; }

saved() { if [ -e crash-cut/state.safetensors ]; then step_of crash-cut/state.safetensors; else echo 0; fi; }
# A moment of the process: within its first, or some steps later. It may end before.
wait_a_moment() {
    if [ $((done % 4)) -ne 3 ]; then
        random $((steps / kills + 1))
        target=$((last + drawn)) polls=0
        while [ "$(saved)" -lt $target ] && [ $polls -lt 3000 ]; do sleep 0.01 && polls=$((polls + 1)); done
    fi
    random 100
    sleep "$(printf '0.%03d' $drawn)"
}

rm -rf crash-whole crash-cut
"$FOCI" train "$config" --out crash-whole $keys 2>/dev/null

done=0 saving=0 last=0 finished=
while [ "$done" -lt "$kills" ]; do
    "$FOCI" train "$config" --out crash-cut $keys --resume --threads $((done % 3 + 1)) 2>crash-err &
    pid=$!
    wait_a_moment
    case $signal$((done % 2)) in KILL*) s=KILL ;; TERM0) s=TERM ;; *) s=INT ;; esac
    kill -$s $pid 2>/dev/null || true
    code=0
    wait $pid || code=$?
    case $s$code in
    KILL137 | TERM75 | INT75 | TERM143 | INT130) ;; # 143, 130: before foci had begun to listen
    *0) finished=1 ;;
    *) echo "kill $done ($s): exit code $code"; cat crash-err; exit 1 ;;
    esac
    done=$((done + 1))
    for f in crash-cut/*.tmp; do [ -e "$f" ] && saving=$((saving + 1)) && break; done
    if [ -e crash-cut/state.safetensors ]; then
        # no step back: what was saved stays saved
        now=$(saved)
        [ "$now" -ge "$last" ] || { echo "kill $done: the checkpoint went from step $last to $now"; exit 1; }
        last=$now
    fi
    [ -z "$finished" ] || break
done
"$FOCI" train "$config" --out crash-cut $keys --resume 2>crash-err || { cat crash-err; exit 1; }
for f in last ema best; do cmp crash-whole/$f.safetensors crash-cut/$f.safetensors; done
ls crash-cut/*.tmp 2>/dev/null && exit 1
echo "${config%.yaml}, $done times SIG$signal over $steps steps ($saving while a file was being written): the same weights, no checkpoint lost"
