#!/bin/sh
# What a run tells of itself: metrics.csv, summary.json, foci runs, foci diff; an evaluation is not lost to a stop.
. "$(dirname "$0")/lib.sh"
make_images >/dev/null
mkdir runs

first() {
    runs train vit.yaml --out runs/first
    equal finished "$(tr -d '\n' <runs/first/summary.json | json state)"
    equal "50 50 10138 0" "$(tr -d '\n' <runs/first/summary.json | json step steps parameters left_out)"
    equal "$(json step top1 <runs/first/metrics.jsonl | grep -v absent | tail -n 1)" "$(tr -d '\n' <runs/first/summary.json | json last | json step top1)"
}
check "a run that ended" first

csv() { # a line for each of metrics.jsonl, the same numbers under their names
    equal $(($(wc -l <runs/first/metrics.jsonl) + 1)) "$(wc -l <runs/first/metrics.csv)"
    head -n 1 runs/first/metrics.csv | tr ',' '\n' | grep -n '^loss$' | cut -d : -f 1 >column
    cut -d , -f "$(cat column)" runs/first/metrics.csv | grep '^[0-9]' >losses
    json loss <runs/first/metrics.jsonl | grep -v absent >expected
    awk 'NR == FNR { x[FNR] = $1; next } { if (x[FNR] - $1 > 1e-6 || $1 - x[FNR] > 1e-6) exit 1 } END { exit FNR < 5 }' losses expected
}
check "metrics.csv" csv

interrupted() { # at every step an evaluation is due, and the one it is stopped at is made when it goes on
    runs train vit.yaml --out whole --set train.eval_every=1 --set train.max_steps=60
    "$foci" train vit.yaml --out runs/stopped --set train.eval_every=1 --set train.max_steps=60 2>/dev/null &
    pid=$!
    until [ -s runs/stopped/metrics.jsonl ]; do kill -0 $pid; sleep 0.02; done
    contains runs/stopped/summary.json '"state": "running"'
    kill -TERM $pid
    code=0
    wait $pid || code=$?
    equal 75 $code
    contains runs/stopped/summary.json '"state": "interrupted"'
    runs runs
    contains out '^stopped +interrupted +[0-9]+/60 '
    contains out '^first +finished +50/50 +top-1 [0-9.]+ % \([0-9]+\) +top-1 [0-9.]+ % \(50\) '
    runs train vit.yaml --out runs/stopped --resume --set train.eval_every=1 --set train.max_steps=60
    equal 60 "$(grep -c top1 runs/stopped/metrics.jsonl)"
    same whole/best.safetensors runs/stopped/best.safetensors
    equal "$(json step top1 <whole/metrics.jsonl | grep -v absent)" "$(json step top1 <runs/stopped/metrics.jsonl | grep -v absent)"
}
check "stopped where an evaluation was due" interrupted

killed() {
    "$foci" train vit.yaml --out runs/killed --set train.epochs=1000 --set train.max_steps=4000 2>/dev/null &
    pid=$!
    until [ -s runs/killed/metrics.jsonl ]; do kill -0 $pid; sleep 0.02; done
    runs runs
    contains out '^killed +running '
    kill -KILL $pid
    wait $pid || true
    runs runs --json
    contains out '"run":"runs/killed","state":"killed"'
}
check "running, then killed" killed

diverged() {
    exits 5 train vit.yaml --out runs/wild --set train.lr=1000 --set train.optimizer=sgd --set train.clip=0 --set train.epochs=1000 --set train.max_steps=2000
    contains runs/wild/summary.json '"state": "diverged"'
    contains runs/wild/summary.json '"message": "step [0-9]+'
    runs runs
    contains out '^wild +diverged '
}
check "diverged" diverged

odd() { # what cannot be read is named and stops nothing
    mkdir runs/odd runs/empty
    cp runs/first/config.yaml runs/odd
    echo '[1' >runs/odd/summary.json
    cp runs/first/metrics.jsonl runs/odd
    runs runs
    contains out '^odd +broken: runs/odd/summary.json:'
    contains out '^first +finished'
    lacks out '^empty'
    rm -r runs/odd
}
check "a folder that cannot be read" odd

torn() { # a bad line of metrics is named and left out; one without its end is nothing to speak of
    cp -r runs/first runs/torn
    sed -i '2s/.*/nonsense/' runs/torn/metrics.jsonl
    printf '{"step": 50' >>runs/torn/metrics.jsonl
    runs runs
    contains err '^warning: runs/torn/metrics.jsonl:2: no line of metrics; it is left out$'
    runs train vit.yaml --out runs/torn --resume --set train.max_steps=55
    contains runs/torn/log.txt '^runs/torn/metrics.jsonl:2: no line of metrics; it is removed$'
    lacks runs/torn/metrics.jsonl nonsense
    equal 5 "$(json step <runs/torn/metrics.jsonl | head -n 1)"
    equal 55 "$(json step <runs/torn/metrics.jsonl | tail -n 1)"
    rm -r runs/torn
}
check "metrics that were damaged" torn

older() { # without a summary, a run is finished only where its config says that it ends
    cp -r runs/first runs/older
    rm runs/older/summary.json
    cp -r runs/older runs/early
    runs train vit.yaml --out whole-epochs --set train.max_steps=0 --set train.epochs=3 --set train.eval_every=4
    rm whole-epochs/summary.json
    grep -v '"step": \(30\|35\|40\|45\|50\)' runs/first/metrics.jsonl >runs/early/metrics.jsonl
    runs runs
    contains out '^older +finished +50/50 '
    contains out '^early +killed +25/50 +top-1 '
    mv whole-epochs runs
    runs runs
    contains out '^whole-epochs +finished +12/12 '
    rm -r runs/older runs/early runs/whole-epochs
}
check "runs without a summary" older

names() { # steer no terminal, and are left out of no JSON
    strange=$(printf 'strange\033[31m')
    latin=$(printf 'caf\351')
    for name in "$strange" "$latin"; do cp -r runs/first "runs/$name"; done
    runs runs
    contains out '^strange\?\[31m +finished '
    runs runs --json
    contains out '"run":"runs/caf\?","state":"finished"'
    contains out '"run":"runs/strange\\u001B\[31m","state":"finished"'
    runs diff "runs/$latin" runs/first --json
    contains out '"runs":\[\{"run":"runs/caf\?"'
    rm -r "runs/$strange" "runs/$latin"
}
check "names of any bytes" names

differ() {
    runs train vit.yaml --out runs/second --set train.seed=3 --set attention.kind=softmax
    runs diff runs/first runs/second
    contains out '^  attention.kind +elliptical +softmax$'
    contains out '^  attention.first +1 +-$'
    contains out '^  train.seed +0 +3$'
    lacks out 'train.lr'
    contains out '^  best \(step\) +top-1 '
    runs diff runs/first runs/first
    contains out '^  the same$'
    runs diff runs/first runs/second --json
    contains out '"train.seed":\["0","3"\]'
    contains out '"attention.first":\["1",null\]'
}
check "foci diff" differ

nothing() { # to show
    mkdir -p desert/none
    cd desert
    runs runs
    equal 'There are no runs in runs; foci train CONFIG makes one.' "$(cat out)"
    runs runs --json
    equal '{"runs":[]}' "$(cat out)"
    runs runs none
    equal 'There are no runs in none; foci train CONFIG makes one.' "$(cat out)"
}
check "nothing to show" nothing
set_back() { # a file of tomorrow
    touch -d '+1 day' runs/first/metrics.jsonl
    runs runs
    contains out '^first .* 0 min$'
}
check "clocks that were set back" set_back

check "no folder" fails 2 'nowhere: no such folder; foci runs DIR lists the runs in DIR' runs nowhere
check "no run" fails_like 2 'images/config.yaml: .*' diff images images
finish
