#!/bin/sh
# `foci bench` measures what the contract names, and a step allocates nothing.
. "$(dirname "$0")/lib.sh"

above_zero() { # NAME...: of the object in `out`
    for name in "$@"; do json "$name" <out | awk -v name="$name" '$1 + 0 > 0 { ok = 1 } END { if (!ok) print name " is not above 0"; exit !ok }'; done
}
measures() { # CONFIG ITEMS BATCH OPTION...
    config=$1 items=$2 batch=$3
    shift 3
    runs bench "$config.yaml" --steps 3 --threads 1 --json "$@"
    equal 1 "$(wc -l <out | tr -d ' ')"
    above_zero step_ms step_min_ms step_max_ms forward_ms backward_ms update_ms items_per_s gflops peak_gflops mfu rss_mb plan_mb parameters
    equal "$items 3 1 $batch" "$(json items steps threads batch <out)"
    json step_min_ms step_ms step_max_ms mfu <out | awk '{ exit !($1 <= $2 && $2 <= $3 && $4 < 1) }'
    json gflops peak_gflops mfu <out | awk '{ d = $1 / $2 - $3; exit !(d < 1e-3 && d > -1e-3) }'
    # sanitizers bring an allocator of their own, whose calls cannot be counted
    if [ "$sanitized" ]; then allocations=null; else allocations=0.0; fi
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
table() {
    runs bench lm.yaml --steps 2
    for row in step forward backward update rate speed memory; do contains out "^ *$row "; done
}
check "the table" table
no_data() {
    rm -rf text
    runs bench lm.yaml --steps 1 --set model.vocab=200
}
check "no data is needed" no_data
profiled() { # every operation has a row, an event in the trace and a place under the roof
    runs bench vit.yaml --steps 2 --profile=trace.json --roofline roof.svg
    for row in mlp 'mlp, backward' layer_norm 'layer_norm, again' 'bound by memory:'; do contains out "^$row "; done
    events=$(python3 -c 'import json; print(len(json.load(open("trace.json"))["traceEvents"]))' 2>/dev/null || grep -c '"ph": "X"' trace.json)
    equal "$events" "$(awk '/ +[0-9.]+%/ { for (i = 1; i <= NF; i++) if ($i ~ /^[0-9]+$/) { n += $i; break } } END { print n }' out)"
    contains roof.svg '<svg'
    contains roof.svg 'mlp, backward: [0-9.]+ % of the step, at [0-9]+ % of its roof'
}
check "a profile" profiled
check "a roofline of nothing" fails 2 '--roofline draws what --profile measures: give both' bench vit.yaml --roofline roof.svg
check "a roofline that is no picture" fails 2 '`roof.txt` does not end in .svg or .png' bench vit.yaml --steps 1 --profile=t.json --roofline roof.txt
check "no steps" fails 2 '--steps: `0` is not a whole number from 1 to 100000' bench lm.yaml --steps 0
check "a batch that is no number" fails 2 '--batch: `x` is not a whole number from 1 to 1000000' bench lm.yaml --batch x
check "no config" fails 2 'usage: foci bench CONFIG (see foci bench --help)' bench
finish
