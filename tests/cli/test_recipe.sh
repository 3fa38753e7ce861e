#!/bin/sh
# Recipes: what they set is what was published, training with all of it keeps foci's promises, and a sheet shows it.
. "$(dirname "$0")/lib.sh"

check "images" make_images
sed -e 's/^name:.*/recipe: deit\nname: deit/' -e 's/, drop_path: 0.1//' \
    -e '/^train:/s/.*/train: {batch_size: 16, micro_batch: 8, max_steps: 12, schedule_by: step, warmup_epochs: 1, eval_every: 6, log_every: 3}/' vit.yaml >deit.yaml

says() { # CONFIG "KEY: VALUE"...
    runs config show "$1"
    shift
    for line in "$@"; do grep -qx " *$line" out || wrong "no line $line in" "$(cat out)"; done
}
deit() { # paper-protocol section 1
    says "$root/configs/imagenet/$1.yaml" 'recipe: deit' 'epochs: 300' 'batch_size: 1024' 'optimizer: adamw' 'betas: \[0.9, 0.999\]' 'eps: 1.0e-08' \
        'weight_decay: 0.05' 'lr: 0.001' 'schedule: cosine' 'schedule_by: epoch' 'schedule_lag: 1' 'warmup_epochs: 5' 'warmup_lr: 1.0e-06' \
        'min_lr: 1.0e-05' 'clip: 0' 'label_smoothing: 0.1' 'mixup: 0.8' 'cutmix: 1' 'mix_prob: 1' 'mix_switch: 0.5' \
        'rand_augment: rand-m9-mstd0.5-inc1' 'scale: \[0.08, 1\]' 'ratio: \[0.75, 1.3333333\]' 'interpolation: bicubic' 'flip: 0.5' \
        'random_erasing: 0.25' 'repeats: 3' 'crop_pct: 0.875' 'mean: \[0.485, 0.456, 0.406\]' 'std: \[0.229, 0.224, 0.225\]' 'drop_path: 0.1' 'seed: 0'
}
for c in deit-tiny deit-tiny-elliptical deit-small deit-small-elliptical deit-base deit-base-elliptical; do check "imagenet/$c" deit $c; done

wikitext() { # CONFIG STEPS BATCH: section 3
    says "$root/configs/wikitext103/$1.yaml" 'recipe: wikitext103' "max_steps: $2" "schedule_steps: $2" "batch_size: $3" 'optimizer: adam' 'lr: 0.00025' \
        'betas: \[0.9, 0.999\]' 'eps: 1.0e-08' 'weight_decay: 0' 'clip: 0.25' 'schedule: cosine' 'schedule_by: step' 'warmup_steps: 2000' 'min_lr: 0' \
        'first_update_at_lr: true' 'dropout: 0.1' 'eval_every: 4000' 'eval_batch: 10' 'log_every: 200' 'seed: 1111'
}
for c in softmax elliptical; do
    check "wikitext103/small-$c" wikitext small-$c 500000 96
    check "wikitext103/medium-$c" wikitext medium-$c 400000 56
done

decoders() { # nanoGPT's train.py with config/train_gpt2.py, llama2.c's train.py
    says "$root/configs/gpt/gpt2.yaml" 'recipe: gpt2' 'd_model: 768' 'depth: 12' 'num_heads: 12' 'context: 1024' 'bias: false' 'mlp: gelu' \
        'batch_size: 480' 'max_steps: 600000' 'schedule: warmup_cosine' 'schedule_steps: 600000' 'warmup_steps: 2000' 'lr: 0.0006' 'min_lr: 6.0e-05' \
        'betas: \[0.9, 0.95\]' 'eps: 1.0e-08' 'weight_decay: 0.1' 'clip: 1' 'windows: drawn' 'tokens: bpe'
    says "$root/configs/gpt/llama-small.yaml" 'recipe: llama-small' 'd_model: 288' 'depth: 6' 'norm: rms' 'position: rotary' 'mlp: swiglu' 'lr: 0.0005' \
        'warmup_steps: 1000' 'max_steps: 100000' 'batch_size: 512'
}
check "decoders of today" decoders

is_a_config() { # what is printed says the same again
    runs config show "$1"
    cp out shown.yaml
    runs config show shown.yaml
    grep -v '^#' shown.yaml >before
    grep -v '^#' out >after
    same before after
    runs config show "$1" --json --set train.lr=0.5
    [ "$(wc -l <out)" -eq 1 ]
    contains out '"train": \{.*"lr": 0.5,'
    json name recipe <out
}
for c in $(ls "$root"/configs/*/*.yaml | grep -v /tables/); do check "config show ${c#"$root"/configs/}" is_a_config "$c"; done
check "config of something else" fails 2 'there is no command `hide`; foci config --help lists them' config hide

trains() {
    runs train deit.yaml --out deit-1 --threads 1
    runs train deit.yaml --out deit-2 --threads 2 --set data.workers=5
    same deit-1/last.safetensors deit-2/last.safetensors
    runs train deit.yaml --out deit-cut --set train.max_steps=5
    runs train deit.yaml --out deit-cut --resume
    same deit-1/last.safetensors deit-cut/last.safetensors
}
check "the same bits for any number of threads, and after an interruption" trains
accumulates() { # partners and lambda are those of the whole batch
    for parts in 4 16; do
        runs train deit.yaml --out parts-$parts --set model.drop_path=0 --set train.micro_batch=$parts
        runs eval parts-$parts --json --checkpoint parts-$parts/last.safetensors
        json loss <out
    done >both
    awk 'NR == 1 { a = $1 } NR == 2 { b = $1 } END { print a, b; d = a - b; exit !(NR == 2 && a > 1 && d < 1e-4 && d > -1e-4) }' both
    ! cmp -s parts-4/last.safetensors parts-16/last.safetensors || wrong "nothing was accumulated"
}
check "parts of a mixed batch add up to it" accumulates
first_update() { # RATE ARGUMENT...
    rate=$1
    shift
    runs train deit.yaml --out quirk --force --set train.max_steps=1 --set train.log_every=1 --set train.schedule_lag=0 --set train.lr=0.002 "$@"
    equal "$rate" "$(json lr <quirk/metrics.jsonl | head -n 1)"
}
check "the first update in warm-up" first_update 1e-6
check "the first update at the full rate" first_update 0.002 --set train.first_update_at_lr=true

sheet() {
    runs data show deit.yaml --out a.png --count 20
    runs data show deit.yaml --out b.png --count 20 --set data.workers=4 --threads 1
    same a.png b.png
    runs data show deit.yaml --out c.png --count 20 --epoch 1
    ! cmp -s a.png c.png || wrong "the epochs are alike"
    equal 89504e470d0a1a0a "$(od -An -tx1 -N8 a.png | tr -d ' \n')"
}
check "a sheet of samples" sheet
check "a sheet needs a name" fails 2 'data show: --out FILE.png is needed' data show deit.yaml
check "a sheet of text" fails_like 2 '.*data.kind: text cannot be shown' data show "$root/configs/brown/softmax.yaml" --out x.png
check "a sheet where nothing can be written" fails_like 6 'nowhere/x.png: .*' data show deit.yaml --out nowhere/x.png
check "RandAugment by a wrong name" fails_like 2 'deit.yaml: data.rand_augment: .*rand-m9-mstd0.5-inc1.*|--set .*: data.rand_augment: `rand-x` is not.*' data show deit.yaml --out x.png --set data.rand_augment=rand-x
check "groups that do not divide the batch" fails_like 2 '.*data.mix_groups: 3 does not divide train.batch_size 16' train deit.yaml --set data.mix_groups=3
finish
