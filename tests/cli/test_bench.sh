#!/bin/sh
# `foci bench` measures what the contract names, and a step allocates nothing.
. "$(dirname "$0")/lib.sh"

above_zero() { # NAME...: of the object in `out`
    for name in "$@"; do json "$name" <out | awk -v name="$name" '$1 + 0 > 0 { ok = 1 } END { if (!ok) print name " is not above 0"; exit !ok }'; done
}
spread() { # PART...: least, median and most of each are in order
    for part in "$@"; do json "${part}_min_ms" "${part}_ms" "${part}_max_ms" <out | awk '{ exit !(0 < $1 && $1 <= $2 && $2 <= $3) }'; done
}
measures() { # CONFIG ITEMS BATCH OPTION...
    config=$1 items=$2 batch=$3
    shift 3
    runs bench "$config.yaml" --steps 3 --threads 1 --json "$@"
    equal 1 "$(wc -l <out | tr -d ' ')"
    above_zero items_per_s gflop gflop_per_item gflops peak_gflops mfu bandwidth_gbs memory_bound_ms memory_bound_gbs rss_mb plan_mb state_mb parameters
    spread step forward backward update
    equal "$items 3 1 $batch" "$(json items steps threads batch <out)"
    json step_ms forward_ms backward_ms update_ms <out | awk '{ exit !($1 >= 0.8 * ($2 + $3 + $4)) }'
    json mfu gflop step_ms gflops peak_gflops <out | awk '{ a = 1000 * $2 / $3 / $4 - 1; b = $4 / $5 - $1; exit !($1 < 1 && a * a < 1e-4 && b * b < 1e-6) }'
    # sanitizers bring an allocator of their own, whose calls cannot be counted, and clang an OpenMP that allocates
    if [ "$sanitized" ] || "$foci" --version | grep -q Clang; then allocations=null; else allocations=0.0; fi
    equal "$allocations" "$(json allocs_per_step <out)"
}
check "images" make_images
check "text" make_text
check "a step of images" measures vit images 16
# div_val 2 would make matrices so narrow that OpenBLAS's AVX-512 kernels for them take a buffer from malloc, which is counted.
check "a step of text" measures lm tokens 8 --set model.div_val=1
other_batch() {
    runs bench vit.yaml --steps 2 --batch 4 --json
    equal "4 2" "$(json batch steps <out)"
}
check "another batch" other_batch
threads_of() { # as other programs with OpenMP: the option, else OMP_NUM_THREADS
    equal "3 3 1" "$(for said in "3 " "1 --threads 3" "3 --threads 1"; do
        OMP_NUM_THREADS=${said%% *} "$foci" bench lm.yaml --steps 1 --json ${said#* } | json threads
    done | tr '\n' ' ' | sed 's/ $//')"
}
check "how many threads" threads_of
table() {
    runs bench lm.yaml --steps 2
    for row in step forward backward update rate speed traffic memory; do contains out "^ *$row "; done
}
check "the table" table
with_data() { # CONFIG BATCH: what a step waits for its batch is part of it
    runs bench "$1.yaml" --steps 12 --batch "$2" --data --json
    spread step data
    json step_ms data_ms <out | awk '{ exit !($2 < $1) }'
}
check "batches of images that are read, more than an epoch of them" with_data vit 16
check "windows of a text" with_data lm 8
check "data time without data" equal null "$("$foci" bench vit.yaml --steps 1 --json | json data_ms)"
# vit.yaml by hand, FLOPs of a step of 16 images, a multiply-add counted as two: 16 patches of 192 numbers, and a class token
# makes 17; 12 x 16 x 16 weights meet every token in the first layer, but in the last, of which the class token alone is read,
# those of keys and values alone, and the other 10 x 16 x 16 one token, as the classes do. Forward once, backward twice, but no
# gradient for images. Attention: 17 x 17 x 16, and 1 x 17 x 16, twice forward and four times backward.
counted() {
    runs bench vit.yaml --steps 1 --json --set model.num_classes=10
    equal "$(awk 'BEGIN { products = 3 * (17 * 12 * 256 + 17 * 2 * 256 + 10 * 256 + 16 * 10) + 2 * 16 * 192 * 16
                          attention = 6 * (17 * 17 + 17) * 16
                          printf "%.6f", 2 * 16 * (products + attention) / 1e9 }')" "$(json gflop <out | awk '{ printf "%.6f", $1 }')"
}
check "FLOPs of a step" counted
recomputed() { # what is computed twice counts once
    equal "$("$foci" bench vit.yaml --steps 1 --json | json gflop)" "$("$foci" bench vit.yaml --steps 1 --json --set train.recompute=block | json gflop)"
    equal "$("$foci" bench vit.yaml --steps 1 --json | json gflop)" "$("$foci" bench vit.yaml --steps 1 --json --set train.micro_batch=4 | json gflop)"
}
check "FLOPs with recomputation and with micro batches" recomputed
profile() {
    runs bench vit.yaml --steps 2 --profile=events.json
    for row in 'linear, forward' 'linear, backward' 'mlp, forward' 'layer_norm, backward' 'adamw, update'; do contains out "^$row +[0-9]+ +[0-9.]+ +[0-9.]+%"; done
    awk '/ of roof$/ { on = 1; next } on { match($0, /[0-9.]+%/); sum += substr($0, RSTART, RLENGTH - 1) } END { exit !(sum > 98 && sum < 102) }' out
    contains events.json '"name": "mlp", "cat": "backward", "ph": "X", "ts": [0-9.]+, "dur": [0-9.]+'
    tr -d '\n' <events.json | json traceEvents >/dev/null
}
check "the profile" profile
profile_json() {
    runs bench vit.yaml --steps 2 --profile=events.json --json
    equal 1 "$(wc -l <out | tr -d ' ')"
    contains out '"operations": \[\{"op": "[a-z_]+", "pass": "[a-z]+", "calls": [0-9]+, "ms": [0-9.]+, "gflop": [0-9.]+, "gb": [0-9.]+, "of_roof": [0-9.]+\}, \{'
}
check "the profile in JSON" profile_json
picture() { # SUFFIX MAGIC
    runs bench vit.yaml --steps 2 --roofline "roof.$1" --json
    equal 1 "$(wc -l <out | tr -d ' ')"
    head -c 200 "roof.$1" | grep -aq "$2"
}
labelled() {
    for text in 'small-vit: fp32' 'mlp [0-9]' 'GB/s: memory' 'multiply-adds in registers' '>backward<' '>update<'; do contains roof.svg "$text"; done
}
if command -v gnuplot >/dev/null; then
    check "the roofline, as SVG" picture svg '<svg'
    check "its labels" labelled
    check "the roofline, as PNG" picture png PNG
else
    echo "skipped: the roofline needs gnuplot"
fi
check "a roofline of no known kind" fails 2 '--roofline: `roof.jpg` does not end in .svg or .png' bench vit.yaml --roofline roof.jpg
check "a trace where none can be" fails_like 6 'nowhere/t.json.*: No such file or directory' bench vit.yaml --steps 1 --profile=nowhere/t.json
no_data() {
    rm -rf text
    runs bench lm.yaml --steps 1 --set model.vocab=200
}
check "no data is needed" no_data
check "unless it is asked for" fails_like 3 '.*text/train.txt.*' bench lm.yaml --steps 1 --data
check "no steps" fails 2 '--steps: `0` is out of bounds: 1 to 100000' bench lm.yaml --steps 0
check "a batch that is no number" fails 2 '--batch: `x` is not a whole number' bench lm.yaml --batch x
check "no config" fails 2 'usage: foci bench CONFIG (see foci bench --help)' bench
planned() {
    runs plan vit.yaml --set train.shards=8 --nodes 1,4,8 --rate 100 --memory 20 --network 1 --latency 50 --json
    equal 3 "$(json plan <out | grep -o '"processes"' | wc -l)"
    runs plan vit.yaml --set train.shards=8 --nodes 1,3 --rate 100 --memory 20
    contains out '^one machine: 100.0 images/s, memory 20.0 GB/s; network 25 Gb/s, 30 us; 8 shards; a model, no measurement$'
    contains out '^ +3 +[0-9.]+ +[0-9.]+ +[0-9]+ % +[0-9.]+ +[0-9]+$'
    fails 2 '--nodes: 9 processes cannot share train.shards=8; --set train.shards=9 would do' \
        plan vit.yaml --set train.shards=8 --nodes 1,9 --rate 1 --memory 1
    fails 2 '--nodes: `x` does not begin with a number of processes, as in 1,8,64' plan vit.yaml --nodes 1,x --rate 1 --memory 1
}
check "a training on several machines is planned" planned
finish
