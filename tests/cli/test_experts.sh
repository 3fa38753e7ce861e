#!/bin/sh
# The language model with a memory and experts: what is carried from window to window is saved and resumed, evaluations
# carry their own and go on where they were killed, text is made word by word; and what is refused.
. "$(dirname "$0")/lib.sh"
make_text >/dev/null
make_span
sed -n 1,60p text/valid.txt >few.txt # some 300 windows' worth: a row ends within the training
keys="--set train.max_steps=40 --set train.eval_every=20 --set train.ema_decay=0.9 --set data.train=few.txt --set data.labels=words"
runs_once() { "$foci" train span.yaml --out names --set train.max_steps=1 >/dev/null 2>&1 && cp names/vocabulary.txt words; }

carries() { # with any number of threads, stopped, computed again, in parts: the same bits
    runs_once
    runs train span.yaml --out whole $keys --threads 1
    json loss <whole/metrics.jsonl | grep -v absent >losses
    [ "$(wc -l <losses)" -ge 40 ] && ! grep -qi 'nan\|inf' losses || wrong "losses:" "$(cat losses)"
    runs train span.yaml --out threads $keys --threads 3
    runs train span.yaml --out again $keys --set train.recompute=block
    for stop in 13 31; do
        runs train span.yaml --out cut-$stop $keys --set train.max_steps=$stop
        runs train span.yaml --out cut-$stop $keys --resume
    done
    for f in last ema best; do
        for run in threads again cut-13 cut-31; do same whole/$f.safetensors $run/$f.safetensors; done
    done
    grep -aq 'carried.layers.2.memory.past' whole/state.safetensors
    ! grep -aq 'carried' whole/last.safetensors # it is no weight
}
check "threads, resuming and recomputing leave the bits as they are" carries
killed() { # at any instant
    "$foci" train span.yaml --out killed $keys --set train.checkpoint_every=1 >/dev/null 2>&1 &
    process=$!
    until [ -s killed/state.safetensors ] || ! kill -0 $process 2>/dev/null; do sleep 0.1; done
    kill -9 $process 2>/dev/null || true
    wait $process 2>/dev/null || true
    runs train span.yaml --out killed $keys --set train.checkpoint_every=1 --resume
    for f in last ema best; do same whole/$f.safetensors killed/$f.safetensors; done
}
check "killed and resumed" killed
parts() { # each part carries its own rows; without the balance loss, which is per part, the sum is the whole
    runs train span.yaml --out one $keys --set train.max_steps=6 --set model.dropout=0 --set train.balance=0 --set train.optimizer=sgd
    runs train span.yaml --out two $keys --set train.max_steps=6 --set model.dropout=0 --set train.balance=0 --set train.optimizer=sgd --set train.micro_batch=2
    for run in one two; do json loss <$run/metrics.jsonl | grep -v absent | tr '\n' ' '; done | awk '
        { n = NF / 2; for (i = 1; i <= n; i++) { d = $i - $(i + n); if (d > 1e-5 || d < -1e-5) bad = 1; seen += $i > 0 } }
        END { print; exit bad || seen < 6 }'
}
check "a batch in parts" parts

evaluates() {
    runs eval whole --json && cp out all
    runs eval whole --walk sliding --json && equal "$(json ppl <all)" "$(json ppl <out)" # there is one walk
    runs eval whole --out sums.csv --json && same all out
    rows=$(wc -l <sums.csv)
    for kept in 3 $((rows / 2)) $((rows - 1)); do # killed there, in the middle of a row
        head -n $kept sums.csv >part.csv && printf '9,9' >>part.csv
        runs eval whole --out part.csv --json
        same all out
        same sums.csv part.csv
    done
    runs eval whole --rows 3 --json
    equal 3 "$(json rows <out)"
    runs eval whole --rows 3 --whole-windows --json && cp out whole.json
    [ $(($(json tokens <whole.json) % 24)) = 0 ]
    contains whole.json '"whole_windows": true'
    fails_like 2 '.*rows.*' eval whole --rows 0
    fails_like 3 '.*too few for 100000 rows.*' eval whole --rows 100000
}
check "evaluation has a memory of its own" evaluates
writes() { # exact where no later token changes what an earlier one got
    runs generate whole --prompt "" --tokens 30 && cp out written
    runs generate whole --prompt "" --tokens 30 --recompute && same written out
    runs train span.yaml --out dot $keys --set train.max_steps=5 --set attention.kind=softmax
    runs generate dot --tokens 5 --json
}
check "text, word by word" writes
choices() {
    for set in model.gate=all model.top_k=1 model.capacity=1 model.empty=attend model.position_metric=false \
        model.expert_init=small model.architecture=rfef attention.scope=sequence attention.scale=none train.dtype=auto; do
        runs train span.yaml --out choice --force $keys --set train.max_steps=2 --set train.eval_every=2 --set $set
    done
    runs train span.yaml --dry-run
    runs analyze whole --limit 4 --json
    runs bench span.yaml --steps 2
}
check "choices" choices
load() {
    runs experts whole --json
    json layers.0.share <out >shares || true
    contains out '"experts":.*4'
    contains out '"top_k":.*2'
    runs experts whole --limit 3
    contains out '^layers.0 .*'
    ! grep -q 'layers.1' out # it has no experts
    contains out '^of 4 experts, 2 a token, over 24 tokens$'
    runs eval whole --measure experts:limit=2 --json
    fails_like 2 '.*' experts whole --out load.gif
    if command -v gnuplot >/dev/null; then runs experts whole --limit 3 --out load.svg && contains load.svg '</svg>'; fi
    runs train span.yaml --out dense $keys --set train.max_steps=2 --set model.architecture=rfef
    fails 2 'the model has no experts' experts dense
}
check "the load of experts" load
refused() {
    bad() { # ARCHITECTURE MESSAGE
        fails_like 2 ".*model.architecture $1: $2.*" train span.yaml --out x --set model.architecture=$1
    }
    bad eg 'letter 1, e, has no layer before it, whose values it needs'
    bad gr 'letter 1, g, stands before any attention'
    bad fr 'letter 1, f, stands before any attention'
    bad rgg 'letter 3, g, must follow an attention letter'
    bad rfg 'letter 3, g, must follow an attention letter'
    bad rgff 'letter 4, f, is the second of its layer'
    bad rgx 'letter 3, x, is none of s, r, e, g and f'
    fails_like 2 '.*model.top_k 9 of 4 experts.*' train span.yaml --out x --set model.top_k=9
    fails_like 2 'default: model.top_k 2 of 0 experts .*' train span.yaml --out x --set model.experts=0
    other='does not fit the model; shapes differ: layers.0.smoe.experts.h4toh.bias is \(4, 16\) in the file and \(8, 16\) in the model.*'
    fails_like 4 "whole/best.safetensors $other" eval whole --set model.experts=8
    fails_like 4 "whole/best.safetensors $other" train span.yaml --out x --init whole/best.safetensors --set model.experts=8
    fails_like 2 'whole was begun with another config: model.experts \(4 there, 8 now\).*' train span.yaml --out whole $keys --resume --set model.experts=8
    fails_like 2 '.*num_heads.*' train span.yaml --out x --set model.num_heads=3
    fails_like 2 '.*attention.kind performer does not work over a span.*' train span.yaml --out x --set attention.kind=performer
    fails_like 2 '.*attention.layers: model.architecture says.*' train span.yaml --out x --set 'attention.layers=[1]'
    fails_like 2 '.*over a span the metric is that of keys or values.*' train span.yaml --out x --set attention.num=q --set attention.scope=sequence
    fails_like 3 '.*have no window of 6000 and the token after it.*' train span.yaml --out x --set model.context=6000
    head -c 4000 whole/state.safetensors >cut-13/state.safetensors
    fails_like 4 '.*' train span.yaml --out cut-13 $keys --set train.max_steps=41 --resume
}
check "refused" refused
finish
