#!/bin/sh
# A storm over trainings of images and of text: they are interrupted, killed, left without disk, made read-only, given other
# data and other numbers of threads, again and again, and must end as if nothing had happened. Counts what it did.
#
#   scripts/storm.sh [MINUTES] [FOCI]            30 minutes of build/foci; exits 1 at the first wrong thing
set -eu
minutes=${1:-30}
foci=$(realpath "${2:-$(dirname "$0")/../build/foci}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$foci" "$work/foci"
chmod -R a+rX "$work"
# who may do everything is not stopped by a folder that is read-only
as_user=
if [ "$(id -u)" = 0 ]; then
    chown -R 65534:65534 "$work"
    as_user="setpriv --reuid=65534 --regid=65534 --clear-groups"
fi
cd "$work"
foci="$as_user $work/foci"
export FOCI_CACHE="$work/cache" HOME="$work"

$foci data make images images --train 320 --val 80 2>/dev/null
$foci data make text text --train 20000 --val 3000 --test 2000 --words 300 2>/dev/null
cat >vit.yaml <<'YAML'
name: vit
model: {kind: vit, img_size: 32, patch_size: 8, embed_dim: 48, depth: 3, num_heads: 3, drop_path: 0.1}
attention: {kind: elliptical}
data: {kind: image_folder, train: images/train, val: images/val, rand_augment: rand-m9-mstd0.5-inc1, mixup: 0.8}
train: {batch_size: 32, epochs: 60, lr: 1.0e-3, warmup_epochs: 5, eval_every: 60, checkpoint_every: 25, ema_decay: 0.99}
YAML
cat >lm.yaml <<'YAML'
name: lm
model: {kind: lm, context: 32, d_model: 48, depth: 3, num_heads: 3, d_inner: 96, dropout: 0.1, cutoffs: [100]}
attention: {kind: elliptical, scope: causal}
data: {kind: text, train: text/train.txt, valid: text/valid.txt, test: text/test.txt}
train: {batch_size: 8, epochs: 8, lr: 1.0e-3, warmup_steps: 20, clip: 1, eval_every: 90, checkpoint_every: 40}
YAML

die() {
    echo "storm: $*" >&2
    tail -n 5 "$work"/err >&2 || true
    exit 1
}
random() { # N: below it
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    draw=$((seed / 65536 % $1))
}
seed=$$
step_of() { # RUN: of its last checkpoint
    step=0
    [ ! -e "$1/state.safetensors" ] || step=$(head -c 1000 "$1/state.safetensors" | grep -ao '"step":"[0-9]*"' | head -n 1 | tr -dc 0-9)
}
weights_of() { tail -c +$(($(od -An -tu8 -N8 "$1") + 9)) "$1" | sha256sum; } # the data, not the header
scores_of() { $foci eval "$1" --json 2>/dev/null; }
lines_of() { sed 's/, "lr".*//; s/, "elapsed".*//' "$1/metrics.jsonl"; } # of a run that went through at once or in pieces
count() { eval "$1=\$((\${$1:-0} + 1))"; }

for run in vit lm; do
    $foci train $run.yaml --out whole-$run >/dev/null 2>err || die "$run: the run without a storm"
    scores_of whole-$run >score-$run
done

spoil() { # what a run learns from changes, and back again
    case $run in vit) victim=$(find images/train -type f | head -n 1) ;; lm) victim=text/train.txt ;; esac
    cp -p "$victim" kept
    $as_user sh -c "cat images/val/*/*0.* | head -c 2000 >'$victim'"
}
sitting() { # EVENT: one stretch of the run, and what became of it
    step_of $run
    before=$step limit=unlimited
    random 3
    threads=$((draw + 1))
    case $1 in
    data) spoil ;;
    disk)
        random 300
        limit=$((draw + 1))
        ;;
    folder) [ ! -d $run ] || chmod a-w $run ;;
    esac
    code=0
    (
        [ $limit = unlimited ] || ulimit -f $limit
        exec $foci train $run.yaml --out $run --resume --threads $threads >/dev/null 2>err
    ) &
    pid=$!
    random 1500
    sleep "$((draw / 1000)).$(printf '%03d' $((draw % 1000)))"
    case $1 in INT | TERM | HUP | KILL) kill -$1 $pid 2>/dev/null || true ;; esac
    wait $pid 2>/dev/null || code=$?
    case $1 in
    data) cp -p kept "$victim" ;;
    folder) [ ! -d $run ] || chmod u+w $run ;;
    esac
    case $1:$code in
    *:0) finished=1 ;;
    INT:75 | TERM:75 | HUP:75 | KILL:137 | disk:6 | folder:6) ;;
    INT:130 | TERM:143 | HUP:129) ;; # it had not begun to listen
    data:3) [ $before -gt 0 ] || die "$run: refused other data without having any" ;;
    *) die "$run: $1 ended with $code" ;;
    esac
    if [ $1:$code = data:0 ]; then die "$run: it went on with other data"; fi
    step_of $run
    [ "$step" -ge "$before" ] || die "$run: $1: back from step $before to $step"
    count sittings
    count "event_$1"
}
compare() {
    for file in last best; do
        [ "$(weights_of whole-$run/$file.safetensors)" = "$(weights_of $run/$file.safetensors)" ] ||
            die "$run: other weights in $file.safetensors"
    done
    scores_of $run | cmp - score-$run || die "$run: other scores"
    [ "$(lines_of whole-$run | grep -c 'top1\|ppl')" = "$(lines_of $run | grep -c 'top1\|ppl')" ] || die "$run: other evaluations"
    count runs
}

end=$(($(date +%s) + 60 * minutes))
sittings=0 runs=0 event_INT=0 event_TERM=0 event_HUP=0 event_KILL=0 event_disk=0 event_folder=0 event_data=0 event_none=0
while [ "$(date +%s)" -lt $end ]; do
    for run in vit lm; do
        rm -rf $run
        finished=0
        while [ $finished = 0 ] && [ "$(date +%s)" -lt $end ]; do
            random 9
            event=$(echo INT TERM HUP KILL KILL disk folder data none | cut -d' ' -f$((draw + 1)))
            step_of $run
            [ $event != data ] || [ $step -gt 0 ] || event=none # there must be a run to refuse
            sitting $event
        done
        [ $finished = 0 ] || compare
    done
done
echo "storm: $minutes minutes, $runs runs to their end and the same bits, in $sittings sittings: \
$event_INT INT, $event_TERM TERM, $event_HUP HUP, $event_KILL KILL, $event_disk full disks, $event_folder read-only folders, \
$event_data changes of data, $event_none undisturbed"
