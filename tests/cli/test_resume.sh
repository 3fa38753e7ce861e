#!/bin/sh
# Runs that are stopped, killed, resumed, watched over: what they promise, in every combination.
. "$(dirname "$0")/lib.sh"
make_images >/dev/null
make_text >/dev/null

# threads x stopped and resumed x activations recomputed: the same bits. Parts of a batch: the same to 1e-6.
matrix() { # CONFIG KEY-OF-DROPPING
    keys="--set train.max_steps=12 --set train.ema_decay=0.9 --set train.eval_every=6"
    runs train $1.yaml --out $1-plain $keys --threads 1
    for threads in 1 2 3; do
        for recompute in none block; do
            for stop in 12 7; do
                out=$1-$threads-$recompute-$stop
                runs train $1.yaml --out $out $keys --threads $threads --set train.recompute=$recompute --set train.max_steps=$stop
                [ $stop = 12 ] || runs train $1.yaml --out $out $keys --resume
                same $1-plain/last.safetensors $out/last.safetensors
                same $1-plain/ema.safetensors $out/ema.safetensors
                same $1-plain/best.safetensors $out/best.safetensors
            done
        done
    done
    keys="$keys --set train.optimizer=sgd --set train.max_steps=3 --set train.eval_every=3 --set model.$2=0"
    runs train $1.yaml --out $1-batch $keys
    for recompute in none block; do
        runs train $1.yaml --out $1-parts-$recompute $keys --set train.micro_batch=4 --set train.recompute=$recompute
        same $1-parts-none/last.safetensors $1-parts-$recompute/last.safetensors
        for run in batch parts-$recompute; do json loss val_loss nll <$1-$run/metrics.jsonl | tr -s ' \n' '  '; done | awk '
            { n = NF / 2; for (i = 1; i <= n; i++) { d = $i - $(i + n); if (d > 1e-6 || d < -1e-6) bad = 1; seen += $i > 0 } }
            END { print; exit bad || seen < 2 }'
    done
}
check "images: threads, resuming, recomputing, accumulating" matrix vit drop_path
check "text: threads, resuming, recomputing, accumulating" matrix lm dropout
sed 's/^attention: .*/attention: {kind: performer, redraw: 2}/' vit.yaml >redrawn.yaml
check "random numbers drawn anew: threads, resuming, recomputing, accumulating" matrix redrawn drop_path

other_config() { # refused with the names of the keys; what does not matter may change
    runs train vit.yaml --out begun --set train.max_steps=5
    fails 2 'begun was begun with another config: model.depth (2 there, 3 now), attention.scale (max there, mean now), train.lr (0.001 there, 0.01 now); a new run may start from its weights with --init' \
        train vit.yaml --out begun --resume --set train.lr=0.01 --set attention.scale=mean --set model.depth=3
    fails_like 2 'begun was begun with another config: attention.kind \(elliptical there, softmax now\), attention.first \(1 there, absent now\), .*' \
        train vit.yaml --out begun --resume --set attention.kind=softmax
    mv images elsewhere
    runs train vit.yaml --out begun --resume --set data.train=elsewhere/train --set data.val=elsewhere/val --set data.workers=1 \
        --set name=renamed --set train.log_every=1 --set train.checkpoint_every=2 --set train.max_steps=8
    mv elsewhere images
    contains err '^resuming after step 5$'
}
check "resuming with another config" other_config

averages() { # evaluated beside the weights, saved, and not the weights
    runs train vit.yaml --out averaged --set train.ema_decay=0.8
    contains averaged/log.txt '^    with averaged weights: top-1 '
    equal 2 "$(json ema_top1 <averaged/metrics.jsonl | grep -vc absent)"
    runs eval averaged --checkpoint averaged/ema.safetensors --json
    equal "$(json ema_top1 <averaged/metrics.jsonl | grep -v absent | tail -n 1)" "$(json top1 <out)"
    ! cmp -s averaged/ema.safetensors averaged/last.safetensors || wrong "the average is the weights"
    same averaged/last.safetensors vit-straight/last.safetensors
}
runs train vit.yaml --out vit-straight
check "averaged weights" averages

keeps() { # every third of the checkpoints; after 0.0001 minutes there is always one
    runs train vit.yaml --out kept --set train.checkpoint_every=5 --set train.keep_every=3
    equal "step-15.safetensors step-30.safetensors step-45.safetensors " "$(cd kept && ls -v step-* | tr '\n' ' ')"
    runs eval kept --checkpoint kept/step-30.safetensors
    runs train vit.yaml --out minutes --set train.max_steps=7 --set train.checkpoint_every=1000 --set train.checkpoint_minutes=0.00001 --set train.keep_every=1
    equal 7 "$(ls minutes/step-* | wc -l)"
}
check "checkpoints that stay" keeps

asked() { # SIGUSR1: saves and goes on
    "$foci" train vit.yaml --out asked --set train.epochs=1000 --set train.max_steps=800 --set train.checkpoint_every=100000 --set train.eval_every=100000 2>err &
    pid=$!
    until [ -s asked/metrics.jsonl ]; do kill -0 $pid; sleep 0.02; done
    [ ! -e asked/state.safetensors ]
    kill -USR1 $pid
    tries=0
    until [ -e asked/state.safetensors ] || [ $tries -gt 500 ]; do sleep 0.02; tries=$((tries + 1)); done
    [ -e asked/state.safetensors ] || wrong "nothing was saved"
    kill -0 $pid || wrong "it ended"
    wait $pid
}
check "SIGUSR1 saves and goes on" asked

locked() { # a second writer is refused at once; what a dead one left behind is no obstacle
    "$foci" train vit.yaml --out locked --set train.epochs=100000 --set train.max_steps=100000 2>/dev/null &
    pid=$!
    until [ -s locked/metrics.jsonl ]; do kill -0 $pid; sleep 0.02; done
    fails 2 "locked: another foci writes into this run (process $pid)" train vit.yaml --out locked --resume
    fails 2 "locked: another foci writes into this run (process $pid)" train vit.yaml --out locked --force
    kill -KILL $pid
    wait $pid || true
    : >locked/state.safetensors.tmp
    runs train vit.yaml --out locked --force --set train.max_steps=2
    [ ! -e locked/state.safetensors.tmp ] || wrong "an orphan stayed"
}
check "a second writer" locked

wild='--set train.optimizer=sgd --set train.lr=1000 --set train.schedule=constant --set train.clip=0 --set train.warmup_steps=0 --set train.epochs=100 --set train.max_steps=300'
leaves_out() {
    fails_like 5 'step [0-9]+, before the first checkpoint: 100 updates in a row had to be left out' \
        train vit.yaml --out skipping $wild --set train.on_nonfinite=skip --set train.eval_every=1000 --set train.checkpoint_every=1000
    contains skipping/log.txt "^step [0-9]+: the (loss|gradient's norm) is (not a number|infinite)( after [0-9]+ updates)?: the update is left out \\(1 so far\\)$"
}
check "updates left out until there is no hope" leaves_out
scores_nothing() { # logits that are no numbers are never right, and such a run is no finished one
    fails_like 5 '[0-9]+ of 40 updates were left out: this is no training' train vit.yaml --out nan $wild --set train.on_nonfinite=skip --set train.max_steps=40 --set train.eval_every=1000 --set train.checkpoint_every=1000
    contains nan/log.txt 'validation top-1 0.00 %, top-5 0.00 %, loss -?nan'
}
check "weights that give no numbers" scores_nothing
rolls_back() {
    exits 5 train vit.yaml --out rolling $wild --set train.on_nonfinite=rollback --set train.eval_every=1000 --set train.checkpoint_every=2
    contains rolling/log.txt "^step [0-9]+: the (loss|gradient's norm) is (not a number|infinite)( after [0-9]+ updates)?: back to the weights of step [0-9]+, the updates since are left out$"
    [ "$(grep -c 'back to the weights' rolling/log.txt)" -ge 3 ]
    contains err 'the last good checkpoint is rolling/state.safetensors, step [0-9]+\): the loss is'
}
check "back to the last checkpoint, but not for ever" rolls_back
spikes() { # the same bits with and without an interruption, and other bits than without leaving out
    keys="--set train.epochs=100 --set train.max_steps=120 --set train.spike_zscore=1 --set train.eval_every=60"
    runs train vit.yaml --out spiky $keys
    contains spiky/log.txt '^step [0-9]+: the loss is [0-9.]+ after a mean of [0-9.]+: the update is left out \([0-9]+ so far\)$'
    runs train vit.yaml --out spiky-cut $keys --set train.max_steps=77
    runs train vit.yaml --out spiky-cut $keys --resume
    same spiky/last.safetensors spiky-cut/last.safetensors
    runs train vit.yaml --out calm $keys --set train.spike_zscore=0
    ! cmp -s spiky/last.safetensors calm/last.safetensors || wrong "nothing was left out"
}
check "spikes of the loss are left out" spikes

replaced() { # named once, in the same place after an interruption, and by default the end of the run
    cp -r images spoilt
    set -- spoilt/train/*/*
    echo broken >"$3"
    fails_like 3 ".*$3: .*" train vit.yaml --out spoilt-1 --set data.train=spoilt/train --set data.val=spoilt/val
    keys="--set data.train=spoilt/train --set data.val=spoilt/val --set data.on_bad_sample=skip"
    runs train vit.yaml --out spoilt-2 $keys
    equal 1 "$(grep -c "^warning: .*$3: .*; another of its class takes its place (1 so far)" err)"
    runs train vit.yaml --out spoilt-3 $keys --set data.workers=1 --set train.max_steps=23
    runs train vit.yaml --out spoilt-3 $keys --resume
    same spoilt-2/last.safetensors spoilt-3/last.safetensors
}
check "an image that cannot be read" replaced

too_large() {
    fails_like 1 'this takes [0-9]+ MB of memory, [0-9]+ MB of them for the activations of a pass, and [0-9]+ MB are available: lower train.micro_batch, or set train.recompute to block' \
        train lm.yaml --out large --set train.batch_size=900 --set model.d_model=4096 --set model.d_inner=262144 --set model.depth=64
    [ ! -e large/config.yaml ] || wrong "it began"
}
check "a plan that does not fit into memory" too_large

flat() { # memory and open files do not grow with the steps
    "$foci" train vit.yaml --out long --set train.epochs=100000 --set train.max_steps=${FLAT_STEPS:-1500} --set train.eval_every=100 --set train.log_every=10 2>err &
    pid=$!
    until [ "$(grep -c top1 long/metrics.jsonl 2>/dev/null || true)" -ge 2 ]; do kill -0 $pid; sleep 0.05; done
    while kill -0 $pid 2>/dev/null && [ -d /proc/$pid/fd ]; do
        echo "$(awk '$1 == "VmRSS:" { print $2 }' /proc/$pid/status 2>/dev/null) $(ls /proc/$pid/fd 2>/dev/null | wc -l)"
        sleep 0.2
    done >use
    wait $pid
    awk 'NF == 2 && $2 > 0 { n++; rss[n] = $1; files[n] = $2 }
         END { last = n > 2 ? n - 1 : n; print n " readings, resident " rss[1] " to " rss[last] " KB, files " files[1] " to " files[last]
               exit !(n >= 3 && rss[last] < rss[1] * 1.05 + 2000 && files[last] <= files[1] + 4) }' use
}
[ "$sanitized" ] || check "memory and open files stay flat" flat
finish
