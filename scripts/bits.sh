#!/bin/sh
# Bits that must not move: trains, evaluates, attacks and prints on tiny built-in data, and hashes what comes out.
#   scripts/bits.sh [FOCI] >before.txt           a line a thing: HASH  NAME; exits with 2 if a command failed
#   scripts/bits.sh --compare before.txt [FOCI]  runs again and prints only what differs; exits with 1 if anything does
# FOCI is the binary (default: the variable FOCI, else build/foci of this checkout). It takes one or two minutes.
#
# A hash is the first 16 digits of a SHA-256. In place of one stands FAILED if the command failed, never equal to
# anything, or skipped where the processor has no products in bf16. Times and rates are left out, and of a checkpoint
# only numbers, names, types and shapes of its tensors count. No hash depends on when, where or under which name foci
# runs. They do depend on the instruction set (FOCI_ISA, taken as it is), the compiler and the libraries that read
# images: compare on the machine, and with the FOCI_ISA, that made them. FOCI_ISA=generic and FOCI_ISA=avx2 deserve a
# file of their own.
set -u
LC_ALL=C OMP_WAIT_POLICY=passive
export LC_ALL OMP_WAIT_POLICY
unset ARGP_HELP_FMT COLUMNS
usage() {
    echo "usage: scripts/bits.sh [--compare FILE] [FOCI]" >&2
    exit 2
}
absolute() { case $1 in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac; }

root=$(cd "$(dirname "$0")/.." && pwd) || exit 2
before=
if [ "${1:-}" = --compare ]; then
    [ $# -ge 2 ] || usage
    before=$(absolute "$2")
    shift 2
    grep -q '^[0-9a-f]\{16\}  ' "$before" || { echo "bits: $before holds no hashes" >&2; exit 2; }
fi
case ${1:-} in -*) usage ;; esac
[ $# -le 1 ] || usage
foci=$(absolute "${1:-${FOCI:-$root/build/foci}}")
"$foci" --version >&2 || exit 2

work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 2' INT TERM
cd "$work" || exit 2

# line NAME: of standard input
line() { printf '%s  %s\n' "$(sha256sum | cut -c 1-16)" "$1"; }
failed() {
    echo "FAILED            $1"
    echo "bits: $1: $(tail -n 1 err)" >&2
}
section() { echo "$1" >&2; }
# of JSON and of words, without times and rates, and paths that are this folder's
untimed() {
    for key in seconds images_per_s items_per_s data_wait_ms elapsed; do
        echo "s/\"$key\": *[^,}]*,\{0,1\} *//g"
    done >times.sed
    echo 's/; [0-9.]* images\/s$//' >>times.sed
    echo "s|$work/||g" >>times.sed
    sed -f times.sed
}
# the numbers of a safetensors file, behind their names, types and shapes
tensors() {
    header=$(od -An -tu4 -N4 "$1" | tr -d ' ')
    head -c $((8 + header)) "$1" | tail -c +9 | sed 's/"__metadata__":{[^}]*},//' | tr '}' '\n' |
        sed 's/^,//; s/ *$//' | sort
    tail -c +$((9 + header)) "$1"
}
# tree NAME FOLDER: the files in it
tree() { (cd "$2" && find . -type f | sort | xargs sha256sum) | line "$1"; }

# out NAME ARGUMENT...: what foci prints. With one thread, unless more are named: on a busy machine many wait long
out() {
    name=$1 command=$2
    shift
    case $command in
    eval | attack | analyze | generate | verify | sweep)
        shift
        set -- "$command" --threads 1 "$@"
        ;;
    esac
    if "$foci" "$@" >out 2>err; then untimed <out | line "$name"; else failed "$name"; fi
}
# quiet NAME ARGUMENT...: likewise what it says beside that, if that says no times
quiet() {
    name=$1
    shift
    if "$foci" "$@" >out 2>err; then cat out err | line "$name"; else failed "$name"; fi
}
# train NAME CONFIG [KEY=VALUE | --OPTION | --OPTION=VALUE]...: a/b/c in runs/b-c, */resumed in that of */stopped
train() {
    name=$1 config=$2
    run=runs/$(echo "${1#*/}" | tr / - | sed 's/resumed$/stopped/')
    shift 2
    for argument; do
        shift
        case $argument in --*) set -- "$@" "$argument" ;; *) set -- "$@" --set "$argument" ;; esac
    done
    if ! "$foci" train "$config.yaml" --out "$run" --threads 1 "$@" >out 2>err; then
        failed "$name"
        return
    fi
    for file in last best ema state; do
        [ ! -f "$run/$file.safetensors" ] || tensors "$run/$file.safetensors" | line "$name/$file"
    done
    untimed <"$run/metrics.jsonl" | line "$name/metrics"
}

data() {
    section "data"
    out data/make-images data make images images --train 64 --val 40 --size 24
    out data/make-text data make text text --train 20000 --val 2000 --test 1200 --words 300
    tree data/images images
    tree data/text text
    cat >vit.yaml <<'YAML'
name: vit
model: {kind: vit, img_size: 16, patch_size: 4, embed_dim: 32, depth: 3, num_heads: 4, mlp_ratio: 2}
attention: {kind: softmax}
data: {kind: image_folder, train: images/train, val: images/val}
train: {batch_size: 16, epochs: 10, max_steps: 20, lr: 2.0e-3, weight_decay: 0.05, warmup_steps: 5, clip: 1,
        eval_every: 10, log_every: 2}
YAML
    cat >lm.yaml <<'YAML'
name: lm
model: {kind: lm, context: 16, d_model: 32, depth: 3, num_heads: 4, d_inner: 64}
attention: {kind: softmax}
data: {kind: text, train: text/train.txt, valid: text/valid.txt, test: text/test.txt}
train: {batch_size: 8, epochs: 2, max_steps: 20, optimizer: adam, lr: 2.0e-3, warmup_steps: 5, clip: 0.25,
        eval_every: 10, log_every: 2}
YAML
    printf 'inherit: vit.yaml\nname: vit-elliptical\nattention: {kind: elliptical}\n' >vit-elliptical.yaml
    printf 'inherit: lm.yaml\nname: lm-elliptical\nattention: {kind: elliptical, scope: causal}\n' >lm-elliptical.yaml
    cat >clusters.yaml <<'YAML'
inherit: lm-elliptical.yaml
name: clusters
model: {cutoffs: [60, 150], div_val: 2, dropout: 0.1}
train: {test_at_end: true}
YAML
    cat >deit.yaml <<'YAML'
inherit: vit-elliptical.yaml
recipe: deit
name: deit
model: {drop_path: 0.1}
train: {batch_size: 16, micro_batch: 8, max_steps: 20, ema_decay: 0.9, schedule_by: step, warmup_epochs: 1}
YAML
    for kind in vit lm; do
        out data/stats-$kind data stats $kind.yaml
        out data/check-$kind data check $kind.yaml
    done
    out data/pack-images data pack images images/train images.pack --size 20
    out data/pack-text data pack text text/train.txt text.pack --vocab-limit 200
    line data/images.pack <images.pack
    line data/text.pack <text.pack
    out data/show data show deit.yaml --threads 1 --out sheet.png --count 16 --epoch 1
    line data/sheet.png <sheet.png
    out data/corrupt data corrupt images/val corrupted --severity 2-4 --limit 2 --threads 1
    tree data/corrupted corrupted
}

attentions() {
    section "every attention"
    for model in vit lm; do
        for attention in $("$foci" list attention | awk -v model=$model 'model == "vit" || $2 == "causal" { print $1 }'); do
            case $attention in elliptical) scopes="sequence causal" ;; *) scopes=- ;; esac
            for scope in $scopes; do
                for dtype in fp32 bf16; do
                    for threads in 1 3; do
                        name=$attention
                        [ $scope = - ] || name=$name-$scope
                        name=train/$model/$name/$dtype/threads-$threads
                        if [ $dtype = bf16 ] && [ ! "$bf16" ]; then
                            echo "skipped           $name"
                            continue
                        fi
                        set -- "attention.kind=$attention" "train.dtype=$dtype" "--threads=$threads"
                        [ $scope = - ] || set -- "$@" "attention.scope=$scope"
                        train "$name" $model "$@"
                    done
                done
            done
        done
        e=$model-elliptical
        train train/$e/k-by-q $e attention.num=k attention.den=q attention.scale=mean
        train train/$e/q-by-k $e attention.num=q attention.den=k attention.attenuation=0.01 attention.keep_scale=false
        train train/$e/unscaled $e attention.scale=none attention.delta=2 attention.first=2
        train train/$e/median $e attention.scope=sequence attention.reduce=median
        train train/$e/finite-difference $e attention.metric=finite_difference attention.scope=sequence \
            train.max_steps=6
        train train/$e/random $e attention.metric=random attention.scope=sequence attention.bottom=0.2
        train train/$model/performer-features $model attention.kind=performer attention.num_features=48
        train train/$model/cosine-fixed $model attention.kind=cosine attention.learnt=false attention.temperature=5
    done
}

ways() {
    section "ways to train"
    for config in vit vit-elliptical deit lm lm-elliptical clusters; do
        train train/$config/plain $config train.ema_decay=0.9
        train train/$config/stopped $config train.ema_decay=0.9 train.max_steps=7
        train train/$config/resumed $config train.ema_decay=0.9 --resume
        train train/$config/recompute $config train.recompute=block
        train train/$config/micro-batch $config train.micro_batch=4
        train train/$config/init $config --init=runs/$config-plain train.seed=1 train.max_steps=6
        for optimizer in sgd adam adamw; do
            train train/$config/$optimizer $config train.optimizer=$optimizer train.weight_decay=0.1
        done
    done
    for model in vit lm; do
        train train/$model/linear-schedule $model train.schedule=linear train.schedule_steps=15 train.min_lr=1e-5
        train train/$model/polynomial $model train.schedule=polynomial train.warmup_lr=1e-5 \
            train.first_update_at_lr=true
        train train/$model/constant $model train.schedule=constant train.schedule_lag=1 train.betas=[0.8,0.99]
        train train/$model/by-epoch $model train.schedule_by=epoch train.warmup_steps=0 train.warmup_epochs=1
        train train/$model/spikes $model train.spike_zscore=1 train.epochs=100 train.max_steps=60
        train train/$model/keep $model train.checkpoint_every=5 train.keep_every=1 train.seed=3
        train train/$model/eval-batch $model train.eval_batch=7
    done
    train train/vit/frozen vit "train.freeze=patch_embed blocks.0" train.lr_scale=head=10
    train train/lm/frozen lm "train.freeze=word_emb layers.0" train.lr_scale=layers.1=3
    train train/vit/smooth vit train.label_smoothing=0.1 model.qkv_bias=false data.padding=2 data.scale=[1,1]
    train train/vit/jitter vit data.color_jitter=0.4 data.interpolation=bilinear data.workers=3 data.crop_pct=1
    train train/vit/repeats vit data.repeats=3 data.random_erasing=0.5 data.flip=0
    train train/vit/mixup vit data.mixup=0.8 data.mix_groups=2
    train train/vit/cutmix vit data.cutmix=1 data.mix_prob=0.7
    train train/vit/oblong vit model.img_size=[16,24]
    train train/vit/packed vit data.train=images.pack
    train train/lm/packed lm data.train=text.pack
    train train/lm/limited lm data.vocab_limit=100
    train train/lm/narrow lm model.d_embed=16 model.d_head=12
    train train/lm/cutoffs lm model.cutoffs=[100] model.dropout=0.2
    # wide enough for whole tiles of the products, and for work that is divided among threads
    for dtype in fp32 bf16; do
        for attention in softmax elliptical linear; do
            if [ $dtype = bf16 ] && [ ! "$bf16" ]; then
                echo "skipped           train/vit/wide/$attention/$dtype"
                echo "skipped           train/lm/wide/$attention/$dtype"
                continue
            fi
            train train/vit/wide/$attention/$dtype vit attention.kind=$attention train.dtype=$dtype model.img_size=32 \
                model.embed_dim=192 model.num_heads=3 model.depth=2 train.max_steps=4
            train train/lm/wide/$attention/$dtype lm attention.kind=$attention train.dtype=$dtype model.context=64 \
                model.d_model=128 model.d_inner=512 model.depth=2 model.cutoffs=[100] train.max_steps=4
        done
    done
    out average average runs/vit-plain runs/vit-adamw runs/vit-init --out mean.safetensors
    tensors mean.safetensors | line average/tensors
}

measures() {
    section "eval, attack, analyze, generate, verify"
    for run in vit-plain vit-elliptical-plain deit-plain vit-performer-fp32-threads-1; do
        out eval/$run eval runs/$run --json
        out eval/$run/corrupt eval runs/$run --json --corrupt all --severity 3 --limit 20 --seed 1
    done
    run=runs/vit-elliptical-plain
    out eval/threads eval $run --json --threads 3
    out eval/text eval $run
    out eval/ema eval $run --json --checkpoint $run/ema.safetensors
    out eval/severities eval $run --corrupt fog,jpeg_compression
    out eval/relative eval $run --json --corrupt imagenet-c --severity 2-3 --limit 10 --relative-to runs/vit-plain
    out eval/corrupt-dir eval $run --json --corrupt-dir corrupted --severity 2-4
    out eval/val-dir eval $run --json --val-dir images/train
    out eval/ood-dir eval $run --json --ood-dir images/train --limit 30
    for run in lm-plain lm-elliptical-plain clusters-plain lm-linear-fp32-threads-1; do
        for walk in disjoint sliding; do
            out eval/$run/$walk eval runs/$run --json --walk $walk
            out eval/$run/$walk/contaminated eval runs/$run --json --split test --walk $walk \
                --contaminate word-swap:rate=0.2,min=2
        done
    done
    out eval/contaminated eval runs/lm-plain --contaminate word-swap --split test

    all=fgsm,pgd,spsa,apgd_ce,apgd_t,fab_t,square,autoattack
    for run in vit-plain vit-elliptical-plain deit-plain vit-cosine-fp32-threads-1; do
        out attack/$run/linf attack runs/$run --json --method $all --steps 5 --samples 4 --limit 8 --eps 0.002,4/255
        out attack/$run/l2 attack runs/$run --json --method $all --steps 5 --samples 4 --limit 8 --eps 0.5 \
            --norm l2 --seed 2
    done
    set -- attack runs/vit-elliptical-plain --json --limit 8 --eps 2/255
    out attack/options "$@" --method fgsm,pgd --space normalised --clip none --labels predicted --loss margin
    out attack/targeted "$@" --method pgd,spsa --steps 5 --samples 4 --targeted least --start image
    out attack/random "$@" --method pgd --steps 5 --targeted random --restarts 2 --loss dlr --step-size 0.3
    out attack/threads "$@" --method pgd,square --steps 5 --batch 3 --threads 3

    for run in vit-plain vit-elliptical-plain vit-linear-fp32-threads-1 lm-plain lm-elliptical-plain clusters-plain; do
        out analyze/$run analyze runs/$run --json --limit 20
        out analyze/$run/table analyze runs/$run --limit 20 --threads 3
    done
    out analyze/history analyze runs/vit-keep --json --history --limit 20

    for run in lm-plain lm-elliptical-plain clusters-plain lm-elliptical-sequence-fp32-threads-1 \
        lm-performer-fp32-threads-1; do
        out generate/$run generate runs/$run --prompt the --tokens 40 --seed 5
        out generate/$run/json generate runs/$run --json --tokens 25 --top-k 20 --top-p 0.8 --temperature 0.7
    done
    out generate/recompute generate runs/clusters-plain --tokens 25 --recompute --unknown --json
    out generate/likeliest generate runs/clusters-plain --tokens 25 --temperature 0

    for case in attention small-vit small-lm-plain small-lm-clusters; do
        out verify/$case verify --json "$root/tests/golden/$case.json"
        if [ "$bf16" ]; then
            out verify/$case/bf16 verify --json --dtype bf16 "$root/tests/golden/$case.json"
        else
            echo "skipped           verify/$case/bf16"
        fi
    done
}

tables() {
    section "tables"
    cat >table.yaml <<'YAML'
title: 'A table of <two> & more'
note: 100 % made up
seeds: [0, 1]
set: {train.max_steps: 10}
measure:
  clean: val
  pgd: 'pgd:eps=2/255,limit=10'
  corrupted: 'corrupt:relative-to=softmax,limit=10,severity=5'
runs:
  - {name: softmax, config: vit.yaml, paper: {clean.top1: 72.5 recalled}}
  - {name: elliptical, config: vit-elliptical.yaml}
YAML
    out table/run table run table.yaml --threads 1 --out table
    for kind in md csv tex html; do line table/$kind <table/table.$kind; done
    out table/again table run table.yaml --threads 1 --out table
    out table/status table run table.yaml --threads 1 --out other --status
    out sweep/run sweep lm.yaml --vary attention.kind=softmax,elliptical --vary train.seed=0,1 --measure val,test \
        --set train.max_steps=10 --out sweep
    for kind in md csv tex html; do line sweep/$kind <sweep/table.$kind; done
}

words() {
    section "what foci says of itself"
    for config in vit lm-elliptical clusters deit; do
        out config/$config config show $config.yaml
        out config/$config/json config show $config.yaml --json --set train.lr=0.5
        # the memory that is planned may change
        if "$foci" train $config.yaml --dry-run >out 2>err; then
            grep -v '^plan ' out | line dry-run/$config
        else
            failed dry-run/$config
        fi
    done
    out config/run config show runs/deit-plain
    (cd "$root" && ls configs/*/*.yaml) | grep -v /tables/ >configs.txt
    while read -r config; do out "config/${config#configs/}" config show "$root/$config" --json; done <configs.txt
    for topic in config man completion reference; do quiet help/$topic help $topic; done
    quiet help --help
    for command in train eval generate average attack analyze verify bench "table run" "table list" sweep \
        runs diff plot data "data make" "data pack" "data check" "data stats" "data corrupt" "data show" \
        "config show" list help; do
        quiet "help/$command" $command --help
    done
    for what in models attention ops data recipes attacks contaminations corruptions; do
        quiet list/$what list $what
    done
}

everything() {
    data
    attentions
    ways
    measures
    tables
    words
}

"$foci" data make text probe --train 2000 --val 300 --test 300 --words 300 >/dev/null || exit 2
cat >probe.yaml <<'YAML'
model: {kind: lm, context: 8, d_model: 8, depth: 1, num_heads: 1, d_inner: 8}
data: {kind: text, train: probe/train.txt, valid: probe/valid.txt, test: probe/test.txt}
YAML
bf16=
if "$foci" train probe.yaml --dry-run --set train.dtype=bf16 >/dev/null 2>&1; then bf16=1; fi

if [ ! "$before" ]; then
    everything | tee now
    ! grep -q ^FAILED now || exit 2
    exit 0
fi
everything >now
awk '
{ name = substr($0, 19); hash = $1 }
NR == FNR { was[name] = hash; order[++m] = name; next }
{ n++; seen[name] = 1 }
!(name in was) { print name ": new, " hash; bad = 1; next }
was[name] != hash || hash == "FAILED" { print name ": was " was[name] ", now " hash; bad = 1 }
END {
    for (i = 1; i <= m; i++) if (!(order[i] in seen)) { print order[i] ": missing, was " was[order[i]]; bad = 1 }
    if (!bad) print n " hashes, all equal"
    exit bad
}' "$before" now
