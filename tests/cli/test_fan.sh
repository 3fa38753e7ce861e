#!/bin/sh
# The fully attentional network, whose batch normalisation keeps running statistics: trained, resumed, averaged, frozen
# in evaluation and under attack.
. "$(dirname "$0")/lib.sh"
make_images >/dev/null
sed -e 's/^name: .*/name: small-fan/' -e 's/^attention: .*/attention: {kind: softmax}/' \
    -e 's/^model: .*/model: {kind: fan, img_size: 32, patch_size: 8, embed_dim: 16, depth: 2, num_heads: 2, drop_path: 0.1}/' vit.yaml >fan.yaml
keys="--set train.max_steps=6 --set train.eval_every=3 --set train.log_every=1 --set train.ema_decay=0.9"

trains() { # with any number of threads, resumed, computed again: the same bits
    runs train fan.yaml --out whole $keys --threads 1
    json loss <whole/metrics.jsonl | grep -v absent >losses
    [ "$(wc -l <losses)" -ge 6 ] && ! grep -qi 'nan\|inf' losses || wrong "losses:" "$(cat losses)"
    runs train fan.yaml --out threads $keys --threads 3
    runs train fan.yaml --out cut $keys --set train.max_steps=3
    runs train fan.yaml --out cut $keys --resume
    runs train fan.yaml --out again $keys --set train.recompute=block
    for f in last ema best; do
        for run in threads cut again; do same whole/$f.safetensors $run/$f.safetensors; done
    done
}
check "threads, resuming and recomputing leave the bits as they are" trains
killed() { # at any instant
    "$foci" train fan.yaml --out killed $keys --set train.checkpoint_every=1 >/dev/null 2>&1 &
    process=$!
    until [ -s killed/state.safetensors ] || ! kill -0 $process 2>/dev/null; do sleep 0.1; done
    kill -9 $process 2>/dev/null || true
    wait $process 2>/dev/null || true
    runs train fan.yaml --out killed $keys --set train.checkpoint_every=1 --resume
    for f in last ema best; do same whole/$f.safetensors killed/$f.safetensors; done
}
check "killed and resumed" killed
frozen() { # whoever only looks changes nothing
    cp whole/last.safetensors before
    runs eval whole --json
    cp out first
    runs attack whole --method pgd --eps 4/255 --steps 2 --limit 20 --json
    runs analyze whole --limit 8 --json
    runs eval whole --json
    same first out
    same whole/last.safetensors before
}
check "evaluation and attacks leave the running statistics alone" frozen
parts() { # a batch in parts has statistics of its own in each, in order
    runs train fan.yaml --out parts $keys --set train.micro_batch=8 --threads 1
    runs train fan.yaml --out parts3 $keys --set train.micro_batch=8 --threads 3
    same parts/last.safetensors parts3/last.safetensors
    ! cmp -s parts/last.safetensors whole/last.safetensors
}
check "a batch in parts" parts
variants() {
    runs train fan.yaml --out elliptical $keys --set attention.kind=elliptical
    ! cmp -s elliptical/last.safetensors whole/last.safetensors
    runs train fan.yaml --out half $keys --set train.dtype=bf16
    runs average whole/last.safetensors elliptical/last.safetensors --out mean.safetensors
    runs eval whole --checkpoint mean.safetensors --json
}
check "elliptical, bf16, a mean of weights" variants
refused() {
    fails_like 2 '.*patch_size 5 is none of 16, 8 and 4.*' train fan.yaml --out x --set model.patch_size=5
    fails_like 2 '.*embed_dim 18 is not divisible by 4, as patch_size 8 asks for.*' train fan.yaml --out x --set model.embed_dim=18
}
check "what is refused" refused
finish
