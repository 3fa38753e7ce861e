#!/bin/sh
# foci train RUN --extend: a run goes on to another length with its moments, the schedule restated, and says so.
. "$(dirname "$0")/lib.sh"
make_images >/dev/null
make_text >/dev/null

for c in vit lm; do
    case $c in vit) epoch=4 ;; lm) epoch=157 ;; esac
    whole() { # where the schedule does not depend on the length, to the bits of the run that had it from the beginning
        set -- --set train.max_steps=0 --set train.schedule=constant --set train.ema_decay=0.5 --set train.checkpoint_every=3
        runs train $c.yaml --out $c-long --set train.epochs=2 "$@"
        runs train $c.yaml --out $c-short --set train.epochs=1 "$@"
        ! cmp -s $c-long/last.safetensors $c-short/last.safetensors || wrong "one epoch gives the weights of two"
        runs train $c-short --extend --set train.epochs=2
        for f in last ema; do same $c-long/$f.safetensors $c-short/$f.safetensors; done
        equal "$((2 * epoch))" "$(tr -d '\n' <$c-short/summary.json | json step)"
    }
    check "$c: to the bits of the longer run" whole
done

restated() { # the cosine over six epochs after that over three
    runs train vit.yaml --out run --set train.max_steps=0 --set train.epochs=3 --set train.log_every=1 --set train.warmup_steps=0
    runs train run --extend --set train.epochs=6
    contains err '^extended after step 12: 24 updates in all, over 6 epochs; the schedule is theirs, its rate 0.0005 from here$'
    contains run/log.txt '^extended after step 12: '
    equal "12 24" "$(json step extended_to <run/metrics.jsonl | grep -v absent)"
    contains run/env.json '"command": ".*--extend --set train.epochs=6"'
    contains run/config.yaml '^  epochs: 6$'
    json step lr loss <run/metrics.jsonl | awk '$3 != "absent"' >rates
    equal 24 "$(wc -l <rates | tr -d ' ')"
    awk '{ n = $1 <= 12 ? 12 : 24; e = 5e-4 * (1 + cos(3.14159265358979 * ($1 - 1) / n))
           d = $2 - e; if (d > 1e-9 || d < -1e-9) { print $0, "not", e; bad = 1 } } END { exit bad }' rates
    equal 2 "$(json step top1 <run/metrics.jsonl | grep -vc absent)"
    runs plot run --out run.svg
    runs runs .
    contains out '^run +finished +24/24 '
}
check "the schedule is that of the new length" restated
again() { # what was extended is a run like any other
    runs train run --resume
    contains err '^resuming after step 24$'
    runs train run --extend --set train.epochs=7
    "$foci" train run --extend --set train.epochs=100000 --set train.log_every=1 2>err &
    pid=$!
    until [ "$(wc -l <run/metrics.jsonl)" -gt 60 ]; do kill -0 $pid; sleep 0.02; done
    kill -TERM $pid
    code=0
    wait $pid || code=$?
    equal 75 $code
    runs train run --extend --set train.max_steps=$(($(tr -d '\n' <run/summary.json | json step) + 2)) # of one that was stopped
}
check "it is extended again" again

refused() { # and is what it was
    cp -r run before
    fails_like 2 'run has made [0-9]+ updates, and with this config it has 16 in all: raise train.epochs' \
        train run --extend --set train.epochs=4 --set train.max_steps=0
    fails_like 2 'run has made [0-9]+ updates, .*: raise train.epochs, or train.max_steps, which ends it' train run --extend --set train.epochs=100001
    fails_like 2 'run was begun with another config: train.lr \(0.001 there, 0.1 now\); a new run may start from its weights with --init' \
        train run --extend --set train.lr=0.1 --set train.epochs=200000
    fails_like 2 'run was begun with another config: train.epochs \(.*\); --extend goes on to another length' train run --resume --set train.epochs=200000
    fails 2 '--extend and --force exclude each other' train run --extend --force
    for f in config.yaml state.safetensors last.safetensors metrics.jsonl; do same before/$f run/$f; done
    fails 4 'new/state.safetensors: nothing to extend' train vit.yaml --out new --extend
    [ ! -e new ]
}
check "what cannot be extended" refused
finish
