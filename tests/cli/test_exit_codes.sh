#!/bin/sh
# Exit codes are those of docs/runs.md where the world gives way: a device that is full, a limit on files, a folder that is
# moved, a terminal that closes; and --json is JSON wherever it is taken.
. "$(dirname "$0")/lib.sh"
make_images >/dev/null
make_text >/dev/null
"$foci" train vit.yaml --out run >/dev/null 2>&1
"$foci" train lm.yaml --out words >/dev/null 2>&1
golden=$root/tests/golden/units.json

# Every command that prints, so that more than a buffer is printed, or less.
prints() { # FUNCTION: calls it with each of them
    "$1" list ops
    "$1" list measures
    "$1" help config
    "$1" help man
    "$1" --help
    "$1" --version
    "$1" train --help
    "$1" config show run
    "$1" eval run
    "$1" eval run --measure pgd:eps=1/255,steps=1,limit=8
    "$1" attack run --method fgsm --eps 1/255 --limit 8
    "$1" attack run --method fgsm --eps 1/255,2/255 --limit 8 --json
    "$1" analyze run
    "$1" generate words --tokens 2000
    "$1" verify "$golden"
    "$1" bench vit.yaml --steps 1
    "$1" runs .
    "$1" diff run words
    "$1" plot run --out plot.svg
    "$1" average run run --out mean.safetensors
    "$1" train vit.yaml --dry-run
    "$1" train vit.yaml --out again --force --json
    "$1" data check vit.yaml
    "$1" data stats lm.yaml
    "$1" table list "$root/configs/tables"
}
full() {
    code=0
    "$foci" "$@" >/dev/full 2>err || code=$?
    equal "6 foci: standard output: cannot write" "$code $(grep '^foci: ' err)"
}
closed() {
    code=0
    "$foci" "$@" >&- 2>err || code=$?
    equal "6 foci: standard output: cannot write" "$code $(grep '^foci: ' err)"
}
if [ -e /dev/full ]; then check "every command on a full device" prints full; fi
check "every command without an output" prints closed

refuses() { # ARGUMENT...: what it writes has to be a regular file
    exits 6 "$@"
    contains err '^foci: /dev/full: not a regular file$'
}
outputs() {
    refuses average run run --out /dev/full
    exits 6 data pack images images/train /dev/full
    exits 6 data pack text text/train.txt /dev/full
    exits 2 plot run --out /dev/full # the ending is wrong
    exits 6 train vit.yaml --out /dev/full
    exits 6 analyze run --out /dev/full
}
if [ -e /dev/full ]; then check "--out of a full device" outputs; fi

full_disk() { # pictures go through foci's own writer
    ${CC:-cc} -shared -fPIC -o faults.so "$root/tests/cli/faults.c" -ldl
    for name in x.svg x.png; do
        code=0
        FAULT=write:1:ENOSPC LD_PRELOAD=$work/faults.so "$foci" plot run --out $name 2>err || code=$?
        equal "6 foci: $name.tmp: No space left on device" "$code $(cat err)"
        [ ! -e $name ] && [ ! -e $name.tmp ]
    done
    TMPDIR=/nowhere runs plot run --out x.svg
}
[ -n "$sanitized" ] || check "a plot on a full disk" full_disk

too_long() { # a limit on the size of files is a write that fails
    rm -rf long
    (ulimit -f 40 && exits 6 train vit.yaml --out long) # of 512 bytes: less than a checkpoint
    contains err '^foci: .*long/.*: File too large$'
    (ulimit -f 4 && exits 6 average run run --out cut.safetensors)
    contains err '^foci: cut.safetensors.tmp: File too large$'
    [ ! -e cut.safetensors ]
}
check "a limit on the size of files" too_long

start_long() { # NAME: a training that would go on for ever, in the background, as $pid
    rm -rf "$1"
    "$foci" train vit.yaml --out "$1" --set train.epochs=100000 --set train.max_steps=0 --set train.eval_every=${2:-1000000} 2>err &
    pid=$!
    until [ -s "$1/metrics.jsonl" ]; do kill -0 $pid; sleep 0.02; done
}
ends_with() { # CODE
    code=0
    wait $pid || code=$?
    equal "$1" $code
}
moved() { # EVAL_EVERY
    rm -rf elsewhere
    start_long there $1
    mv there elsewhere
    sleep 0.5
    kill -TERM $pid 2>/dev/null || true # where it was moved before the first checkpoint, it has ended
    ends_with 6
    contains err '^foci: .*there/.*: (No such file or directory|what was written does not read back)$'
}
check "a run folder that is moved" moved 1000000
check "a run folder that is moved, and an evaluation" moved 20
check "a run folder that is moved, and it is stopped in an evaluation" moved 1

unheard=$(sh -c 'kill -HUP $$; echo unheard' 2>/dev/null) # under nohup nobody hears of it, foci neither
hangs_up() {
    if [ "$unheard" ]; then echo "skipped: these tests were told not to hear of a terminal that closes"; return; fi
    start_long hung
    kill -HUP $pid
    ends_with 75
    [ -s hung/state.safetensors ]
    runs train vit.yaml --out hung --resume --set train.epochs=100000 --set train.max_steps=1
}
check "a terminal that closes" hangs_up
nohup_stays() {
    trap '' HUP
    start_long kept
    kill -HUP $pid
    sleep 0.2
    kill -TERM $pid
    ends_with 75
    contains kept/summary.json '"state": "interrupted"'
}
check "who is not to hear of it" nohup_stays
no_reader() { # its messages go nowhere: there is still something to save
    rm -rf unread
    mkfifo pipe
    sleep 100 <pipe &
    reader=$!
    "$foci" train vit.yaml --out unread --set train.epochs=100000 --set train.max_steps=0 --set train.eval_every=1000000 2>pipe &
    pid=$!
    until [ -s unread/metrics.jsonl ]; do kill -0 $pid; sleep 0.02; done
    kill $reader
    sleep 0.3
    kill -0 $pid
    kill -TERM $pid
    ends_with 75
    [ -s unread/state.safetensors ]
}
check "a reader that goes away" no_reader
second() { # the first is still at work
    start_long twice
    kill -STOP $pid
    kill -INT $pid
    kill -TERM $pid
    kill -CONT $pid
    code=0
    wait $pid || code=$?
    case $code in 130 | 143) ;; *) wrong "exit code $code" ;; esac
}
check "a second signal" second

too_large() { # COMMAND...: said before a step, by a dry run too
    fails_like 1 'this takes [0-9]+ MB of memory, .*: lower train.micro_batch, or set train.recompute to block' \
        train vit.yaml --out large --set model.embed_dim=16384 --set model.depth=100
    [ ! -e large ]
    exits 1 train vit.yaml --dry-run --set model.embed_dim=16384 --set model.depth=100
    contains out '^parameters +[0-9.]+ MB '
    contains err '^foci: this takes [0-9]+ MB of memory'
}
check "a plan that does not fit" too_large

is_json() { # each line is an object
    "$foci" "$@" --json >out 2>err || { cat err; return 1; }
    json <out >/dev/null || wrong "foci $*: no JSON" "$(head -n 3 out)"
    [ -s out ] || wrong "foci $*: it printed nothing"
}
all_json() {
    for c in eval analyze; do is_json $c run; done
    is_json eval words --walk sliding
    is_json eval run --measure pgd:eps=1/255,steps=1,limit=8
    is_json attack run --method fgsm --eps 1/255 --limit 8
    is_json config show run
    is_json generate words
    is_json verify "$golden"
    is_json bench vit.yaml --steps 1
    is_json runs .
    is_json diff run words
    is_json train vit.yaml --dry-run
    is_json train lm.yaml --dry-run
    is_json train vit.yaml --out again --force
    equal "again finished 50" "$(json run state step <out)"
    is_json train vit.yaml --out again --resume
}
check "JSON wherever --json is taken" all_json
listed() { # by help: these and no others
    for c in $("$foci" --help | sed -n 's/^  \([a-z][a-z]*\)  *[a-z].*/\1/p' | grep -v '^foci$') 'data make' 'data pack' 'data check' \
        'data stats' 'data corrupt' 'data show' 'table run' 'table list' 'config show'; do
        if "$foci" $c --help | grep -q -- '^ *--json'; then echo "$c"; fi
    done | sort | tr '\n' ' ' >takes
    equal "analyze attack bench config show diff eval experts generate plan predict runs scaling train verify " "$(cat takes)"
    for c in 'data check vit.yaml' 'data stats vit.yaml' 'list ops' 'average run --out x' 'plot run' 'data show vit.yaml --out x.png' \
        'table list' 'help config'; do
        exits 2 $c --json
        [ ! -s out ]
        contains err "unrecognized option '--json'"
    done
}
check "--json is refused where it is none" listed
ends_with_best() {
    runs train vit.yaml --out again --force
    contains err '^best: top-1 [0-9.]+ %, in epoch [0-9.]+ \(step (25|50)\)$'
    contains again/log.txt '^best: top-1 '
    runs train lm.yaml --out again --force
    contains err '^best: .*perplexity [0-9.]+, in epoch [0-9.]+ \(step (25|50)\)$'
}
check "the end of a training names the best" ends_with_best
finish
