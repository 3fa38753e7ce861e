#!/bin/sh
# Every attention that `foci list attention` names, as a user meets it: trained, resumed, attacked, looked at, asked for
# text, given sequences with padding; this test knows no name but that of the dot product.
. "$(dirname "$0")/lib.sh"
make_images >/dev/null
make_text >/dev/null
make_lists >/dev/null
runs list attention
cp out kinds

keys="--set train.max_steps=6 --set train.eval_every=2 --set train.log_every=1 --set train.ema_decay=0.9"
config() { # MODEL KIND: c.yaml. Regularisation off, which not every attention has
    sed -e "s/^attention: .*/attention: {kind: $2}/" -e 's/drop_path: 0.1/drop_path: 0/' $1.yaml >c.yaml
}
finite() { # RUN: every step has a loss
    json loss <"$1/metrics.jsonl" | grep -v absent >losses
    [ "$(wc -l <losses)" -ge 6 ] && ! grep -qi 'nan\|inf' losses || wrong "losses of $1:" "$(cat losses)"
}
trains() { # MODEL KIND: finite, and the same bits with any number of threads, resumed, and computed again
    rm -rf whole threads cut again half some
    config "$1" "$2"
    runs train c.yaml --out whole $keys --threads 1
    finite whole
    runs train c.yaml --out threads $keys --threads 3
    same whole/last.safetensors threads/last.safetensors
    runs train c.yaml --out cut $keys --set train.max_steps=4
    runs train c.yaml --out cut $keys --resume
    runs train c.yaml --out again $keys --set train.recompute=block
    for f in last ema best; do
        same whole/$f.safetensors cut/$f.safetensors
        same whole/$f.safetensors again/$f.safetensors
    done
    runs train c.yaml --out half $keys --set train.dtype=bf16
    finite half
    runs bench c.yaml --steps 1 --json
    [ "$(json gflop <out)" != 0 ]
}
in_images() {
    trains vit "$1"
    runs attack whole --method pgd --eps 4/255 --steps 2 --limit 20 --json
    runs analyze whole --limit 8 --json
    runs train c.yaml --out some $keys --set 'attention.layers=[0]'
    finite some
    cmp -s whole/last.safetensors some/last.safetensors || echo "$1" >>chosen
}
in_text() {
    trains lm "$1"
    runs generate whole --tokens 20 --prompt the
    cp out incremental
    runs generate whole --tokens 20 --prompt the --recompute
    same incremental out
    runs eval whole --walk sliding --json
}
# With padding, or where an attention says that it knows none, on sequences that have none.
in_sequences() {
    config encoder "$1"
    exits 0 train c.yaml --out padded --set train.max_steps=1 2>/dev/null || {
        exits 2 train c.yaml --out padded --set train.max_steps=1
        contains err "attention.kind $1 knows no padding"
        sed -i 's/^data: .*/data: {kind: pixels, train: images\/train, val: images\/val, size: 5}/; s/length: 32, vocab: 16/length: 25, vocab: 256/' encoder.yaml
    }
    trains encoder "$1"
    make_lists >/dev/null
    rm -rf padded
}
layers() { # most variants are another one where they are in layer 0 alone; the dot product is not
    lacks chosen '^softmax$'
    [ "$(wc -l <chosen)" -gt $(($(wc -l <kinds) / 2)) ] || wrong "attention.layers changes nothing"
    fails_like 2 '--set attention.layers=.0,2.: attention.layers has layer 2, of 2 from 0.*' train vit.yaml --out x --set 'attention.layers=[0,2]'
}
while read -r kind causal _; do
    check "$kind in a ViT" in_images "$kind"
    [ "$causal" = - ] || check "$kind in a language model" in_text "$kind"
    check "$kind in an encoder of sequences" in_sequences "$kind"
done <kinds
check "attention.layers" layers
finish
