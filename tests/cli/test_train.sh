#!/bin/sh
# Training keeps its promises: the same bits for any number of threads, after an interruption, and a run folder that says all.
. "$(dirname "$0")/lib.sh"

check "images" make_images
check "text" make_text

for c in vit lm; do
    trains() { # and the weights move
        runs train $c.yaml --out $c-1 --threads 1
        contains err "step 50/50 .* ETA 0:00\$"
        [ ! -s out ] || wrong "on standard output:" "$(cat out)"
        runs train $c.yaml --out $c-other --threads 1 --set train.seed=1
        ! cmp -s $c-1/last.safetensors $c-other/last.safetensors || wrong "another seed gives the same weights"
    }
    check "$c: 50 steps" trains

    threads() {
        for n in 2 3; do
            runs train $c.yaml --out $c-$n --threads $n
            same $c-1/last.safetensors $c-$n/last.safetensors
        done
    }
    check "$c: the same bits for any number of threads" threads

    stopped() {
        runs train $c.yaml --out $c-straight
        runs train $c.yaml --out $c-stopped --set train.max_steps=23
        ! cmp -s $c-straight/last.safetensors $c-stopped/last.safetensors || wrong "23 steps give the weights of 50"
        runs train $c.yaml --out $c-stopped --resume
        contains err '^resuming after step 23$'
        same $c-straight/last.safetensors $c-stopped/last.safetensors
    }
    check "$c: a run that was ended early goes on to the same bits" stopped
done

interrupted() { # CONFIG: stopped by a signal, somewhere, and resumed
    c=$1
    rm -rf cut whole
    set -- --set train.epochs=1000 --set train.max_steps=600 --set train.eval_every=300
    runs train $c.yaml --out whole "$@"
    "$foci" train $c.yaml --out cut "$@" 2>err &
    pid=$!
    until [ -s cut/metrics.jsonl ]; do
        kill -0 $pid
        sleep 0.02
    done
    kill -INT $pid
    code=0
    wait $pid || code=$?
    equal 75 $code
    contains err '^foci: stopped after step [0-9]+ of 600; --resume goes on from there$'
    ! cmp -s whole/last.safetensors cut/last.safetensors || wrong "it was not cut"
    runs train $c.yaml --out cut "$@" --resume
    contains err '^resuming after step [0-9]+$'
    same whole/last.safetensors cut/last.safetensors
    # the lines of metrics agree too, but for times and for the one more line where it stopped
    json step loss top1 ppl nll <whole/metrics.jsonl | awk '$2 == "absent"' >whole-scores
    json step loss top1 ppl nll <cut/metrics.jsonl | awk '$2 == "absent"' >cut-scores
    [ -s whole-scores ]
    same whole-scores cut-scores
}
check "images: a run that was interrupted goes on to the same bits" interrupted vit
check "text: a run that was interrupted goes on to the same bits" interrupted lm

accumulates() { # CONFIG SCORE KEY-OF-DROPPING: the mean over parts of a batch is the mean over the batch
    runs train $1.yaml --out parts --force --set train.micro_batch=4 --set model.$3=0 --set train.max_steps=20
    runs train $1.yaml --out batch --force --set model.$3=0 --set train.max_steps=20
    ! cmp -s parts/last.safetensors batch/last.safetensors || wrong "nothing was accumulated"
    for run in parts batch; do
        runs eval $run --json --checkpoint $run/last.safetensors
        json "$2" <out
    done >both
    awk 'NR == 1 { a = $1 } NR == 2 { b = $1 } END { print a, b; d = a - b; exit !(NR == 2 && a > 1 && d < 1e-4 && d > -1e-4) }' both
}
check "images: parts of a batch add up to it" accumulates vit loss drop_path
check "text: parts of a batch add up to it" accumulates lm nll dropout

recomputes() { # CONFIG: to the same bits as what was kept, in less memory, whatever the attention
    grep -v '^attention:' $1.yaml >$1-softmax.yaml
    cp $1.yaml $1-elliptical.yaml
    for attention in softmax elliptical; do
        c=$1-$attention
        runs train $c.yaml --out $c-kept --set model.depth=3
        for n in 1 2; do
            runs train $c.yaml --out $c-$n --threads $n --set model.depth=3 --set train.recompute=block
            same $c-kept/last.safetensors $c-$n/last.safetensors
        done
        runs train $c.yaml --dry-run --set model.depth=3
        lacks out '^recompute'
        kept=$(sed -n 's/^plan *\([0-9.]*\) MB .*/\1/p' out)
        runs train $c.yaml --dry-run --set model.depth=3 --set train.recompute=block
        contains out '^recompute +[0-9.]+ MFLOP per (image|token) again in the backward pass$'
        awk -v kept="$kept" '$1 == "plan" { print kept, $2; exit !($2 < kept) }' out
    done
}
check "images: blocks computed again" recomputes vit
check "text: blocks computed again" recomputes lm

dry_run() { # CONFIG KEY: bench, told in KEY what the data would say, has as many parameters
    rm -rf runs
    runs train $1.yaml --dry-run
    [ ! -s err ] || wrong "on standard error:" "$(cat err)"
    total=$(awk '$1 == "total" { print $2 }' out)
    equal "$total" "$(awk '$1 == "total" { print sum; exit } { sum += $2 }' out)"
    contains out '^MFLOP per (image|token) +[0-9.]+ forward, [0-9.]+ backward$'
    contains out '^plan +[0-9.]+ MB for a pass of [0-9]+ \([0-9.]+ MB without sharing\)$'
    contains out '^parameters +[0-9.]+ MB with gradients and 2 moments$'
    contains out '^updates +[0-9]+ an epoch, 50 in all$'
    [ ! -e runs ] || wrong "it made a run folder"
    many=$(sed -n 's/^data .* \([0-9]*\) \(words\|classes\)$/\1/p' out)
    runs bench $1.yaml --steps 1 --json --set model.$2=$many
    equal "$total" "$(json parameters <out)"
}
check "images: a dry run" dry_run vit num_classes
check "text: a dry run" dry_run lm vocab
near() { awk '{ d = ($1 - $2) / $1; print; exit !(d < 0.01 && d > -0.01 && d != 0) }'; }
bf16() { # CONFIG: the same bits for any number of threads, near those of float32
    for n in 1 3; do
        runs train $1.yaml --out $1-bf16-$n --threads $n --set train.dtype=bf16
        contains err 'products in bf16$'
    done
    same $1-bf16-1/last.safetensors $1-bf16-3/last.safetensors
    ! cmp -s $1-bf16-1/last.safetensors $1-1/last.safetensors || wrong "bf16 gives the weights of fp32"
    json loss <$1-1/metrics.jsonl | grep -v absent | tail -n 1 >fp32
    json loss <$1-bf16-1/metrics.jsonl | grep -v absent | tail -n 1 | paste fp32 - |
        near
    runs train $1.yaml --out $1-auto --set train.dtype=auto
    same $1-bf16-1/last.safetensors $1-auto/last.safetensors
}
run_bf16() { # CONFIG: what runs the model is in float32 unless it is asked, however the model was trained
    for dtype in fp32 bf16 auto; do
        runs eval $1-bf16-1 --json --dtype $dtype
        json loss <out >$dtype
    done
    runs eval $1-bf16-1 --json
    equal "$(cat fp32)" "$(json loss <out)"
    equal "$(cat bf16)" "$(cat auto)"
    paste fp32 bf16 | near
    runs train $1.yaml --out $1-bf16-eval --set train.eval_dtype=bf16
    same $1-1/last.safetensors $1-bf16-eval/last.safetensors
    ! cmp -s $1-1/metrics.jsonl $1-bf16-eval/metrics.jsonl || wrong "evaluated in float32"
}
others_bf16() { # attacks, analyses, predictions
    runs attack vit-1 --method pgd --eps 4/255 --limit 20 --json
    cp out fp32
    runs attack vit-1 --method pgd --eps 4/255 --limit 20 --json --dtype bf16
    [ "$(json loss <fp32)" != "$(json loss <out)" ]
    runs analyze vit-1 --json --dtype bf16
    runs predict vit-1 images/val/*/*.png --dtype bf16
    runs generate lm-1 --prompt 'the ' --tokens 5 --dtype bf16
}
if "$foci" train vit.yaml --dry-run --set train.dtype=bf16 >/dev/null 2>&1; then
    check "images: products in bf16" bf16 vit
    check "text: products in bf16" bf16 lm
    check "images: run in bf16" run_bf16 vit
    check "text: run in bf16" run_bf16 lm
    check "attacks, analyses, predictions, text in bf16" others_bf16
fi
no_bf16() {
    export FOCI_ISA=generic
    fails_like 2 '--set train.dtype=bf16: train.dtype: this processor has no products in bf16 \(AVX512-BF16\); auto falls back to fp32' \
        train vit.yaml --out no --set train.dtype=bf16
    runs train vit.yaml --dry-run --set train.dtype=auto
    contains out '^products +in fp32$'
    fails_like 2 '--set train.eval_dtype=bf16: train.eval_dtype: this processor has no products in bf16 .*' eval vit-1 --dtype bf16
    fails_like 2 '--dtype: `half` is not one of fp32, bf16, auto.*' eval vit-1 --dtype half
}
check "a processor without bf16" no_bf16
blind() { # CONFIG KEY COUNT DATA: the data are not there, yet the config says enough
    fails_like 3 'nope: .*' train $1.yaml --dry-run --set $4=nope
    runs train $1.yaml --dry-run --set $4=nope --set $2=$3
    contains out '^total +[0-9]+$'
    contains out '^data +cannot be read \(nope: .*\)$'
}
check "images: a dry run without the data" blind vit model.num_classes 10 data.val
check "text: a dry run without the data" blind lm model.vocab 300 data.train

folder() { # CONFIG NAME
    rm -rf runs
    runs train $1.yaml --threads 1
    equal "best.safetensors config.yaml data.txt env.json last.safetensors lock log.txt metrics.csv metrics.jsonl state.safetensors summary.json" \
        "$(ls runs/$2 | grep -v '^classes.txt$\|^vocabulary.txt$' | tr '\n' ' ' | sed 's/ $//')"
    tr -d '\n' <runs/$2/env.json | json >names
    for name in foci compiler isa threads command date; do contains names "(^| )$name( |\$)"; done
    equal 1 "$(tr -d '\n' <runs/$2/env.json | json threads)"
    # the resolved config is a config: the same weights come from it
    runs train runs/$2/config.yaml --out again --force
    same runs/$2/last.safetensors again/last.safetensors
    contains runs/$2/log.txt 'parameters, products in fp32$'
    fails 2 "runs/$2 already holds a run: --resume goes on with it, --force replaces it, --out names another folder" train $1.yaml
    cp -r runs/$2 before
    runs train $1.yaml --force
    same before/last.safetensors runs/$2/last.safetensors
    equal "$(wc -l <before/metrics.jsonl)" "$(wc -l <runs/$2/metrics.jsonl)"
    rm -rf before
}
check "images: the run folder" folder vit small-vit
check "text: the run folder" folder lm small-lm

metrics() { # RUN NAMES-OF-A-SCORE: ten lines of training, two of validation
    json <$1/metrics.jsonl | sort | uniq -c | sed 's/^ *//' >names
    equal "10 step epoch loss lr grad_norm items_per_s data_wait_ms elapsed
2 $2" "$(sort -rn names)"
    equal "5 10 15 20 25 25 30 35 40 45 50 50" "$(json step <$1/metrics.jsonl | tr '\n' ' ' | sed 's/ $//')"
    json step loss lr grad_norm items_per_s <$1/metrics.jsonl | awk '$2 != "absent" && !($2 > 0 && $3 > 0 && $4 > 0 && $5 > 0) { print; bad = 1 } END { exit bad }'
    json step data_wait_ms <$1/metrics.jsonl | awk '$2 != "absent" && !($2 >= 0 && $2 < 60000) { print; bad = 1 } END { exit bad }'
}
check "images: metrics.jsonl" metrics vit-1 "step epoch val_loss top1 top5 images elapsed"
check "text: metrics.jsonl" metrics lm-1 "step epoch nll ppl tokens elapsed"

schedule() { # five steps of warm-up, then the cosine over the 80 of all epochs, as timm has it
    json step lr <vit-1/metrics.jsonl | awk '$2 != "absent"' >rates
    equal 10 "$(wc -l <rates | tr -d ' ')"
    awk '{ e = $1 - 1 < 5 ? 1e-3 * ($1 - 1) / 5 : 5e-4 * (1 + cos(3.14159265358979 * ($1 - 1) / 80))
           d = $2 - e; if (d > 1e-9 || d < -1e-9) { print $0, "not", e; bad = 1 } } END { exit bad }' rates
}
check "the learning rate" schedule

learns() { # RUN
    last=$(json loss <$1/metrics.jsonl | grep -v absent | tail -n 1)
    first=$(json loss <$1/metrics.jsonl | grep -v absent | head -n 1)
    awk -v a="$first" -v b="$last" 'BEGIN { print a, b; exit !(b < a) }'
}
check "images: the loss falls" learns vit-1
check "text: the loss falls" learns lm-1

evaluates() { # RUN NAMES
    runs eval $1 --json
    equal 1 "$(wc -l <out | tr -d ' ')"
    equal "$2" "$(json <out)"
    [ ! -s err ] || wrong "on standard error:" "$(cat err)"
}
image_scores() {
    evaluates vit-1 "split loss top1 top5 images"
    equal "val 40" "$(json split images <out)"
    json top1 top5 <out | awk '{ exit !(0 <= $1 && $1 <= $2 && $2 <= 100) }'
    # as it was told while training: eval scores the best
    best=$(json top1 <vit-1/metrics.jsonl | grep -v absent | sort -g | tail -n 1)
    awk -v a="$best" -v b="$(json top1 <out)" 'BEGIN { print a, b; d = a - b; exit !(d < 1e-4 && d > -1e-4) }'
}
check "images: eval --json" image_scores
text_scores() {
    evaluates lm-1 "split walk nll loss ppl tokens"
    equal "val disjoint" "$(json split walk <out)"
    json nll ppl <out | awk '{ d = exp($1) / $2 - 1; exit !(d < 1e-5 && d > -1e-5) }'
    best=$(json ppl <lm-1/metrics.jsonl | grep -v absent | sort -g | head -n 1)
    awk -v a="$best" -v b="$(json ppl <out)" 'BEGIN { print a, b; d = a / b - 1; exit !(d < 1e-5 && d > -1e-5) }'
    runs data stats lm.yaml
    tokens=$(sed -n 's/^data.test .*: \([0-9]*\) tokens.*/\1/p' out)
    runs eval lm-1 --json --walk sliding --split test
    equal "test sliding $((tokens - 1))" "$(json split walk tokens <out)"
}
check "text: eval --json" text_scores
eval_threads() {
    for run in vit-1 lm-1; do
        runs eval $run --json --threads 1
        cp out one
        runs eval $run --json --threads 2
        same one out
    done
}
check "eval: the same for any number of threads" eval_threads
eval_prints() {
    runs eval vit-1
    contains out '^val: top-1 [0-9.]+ %, top-5 [0-9.]+ %, loss [0-9.]+ over 40 images$'
    runs eval lm-1
    contains out '^val, disjoint windows: perplexity [0-9.]+ \([0-9.]+ nats per token\) over [0-9]+ tokens$'
}
check "eval prints a line" eval_prints
no_test_split() { fails 2 'images have the split val, not test' eval vit-1 --split test; }
check "images have no test split" no_test_split

initialised() { # --init starts from the weights of a run
    runs train vit.yaml --out warm --init vit-1/last.safetensors --set train.lr=0 --set train.max_steps=1
    runs eval warm --json --checkpoint warm/last.safetensors
    cp out warm-score
    runs eval vit-1 --json --checkpoint vit-1/last.safetensors
    same out warm-score
}
check "--init starts from the weights of a run" initialised

wild='--set train.optimizer=sgd --set train.lr=1000 --set train.schedule=constant --set train.clip=0 --set train.warmup_steps=0'
no_number="the (loss|gradient's norm) is (not a number|infinite)( after [0-9]+ updates)?"
diverges() {
    fails_like 5 "step [0-9]+, before the first checkpoint: $no_number" train vit.yaml --out wild $wild
    contains wild/log.txt "$no_number"
    [ ! -e wild/last.safetensors ] || wrong "it saved what diverged"
}
check "divergence" diverges
diverges_later() { # what was saved is from before; whether it is of any use is said
    wild="$wild --set train.weight_decay=0.5" # weights that are large before they are no numbers
    fails_like 5 "step [0-9]+ \(the last good checkpoint is wild/state.safetensors, step [0-9]+\): $no_number" \
        train vit.yaml --out wild --force $wild --set train.checkpoint_every=1
    for time in first again; do
        fails_like 5 'the last weights score no number on the validation data' train vit.yaml --out wild --resume $wild --set train.max_steps=1
    done
}
check "divergence after a checkpoint" diverges_later
finish
