#!/bin/sh
# The measure and the metric of CONTRIBUTING.md, taken from there: one new file in src/measure, one line in its list.h and
# one row of metrics, and it is listed, measured, printed and tabulated, and its option is checked. Built in a copy of the
# tree, so that only what changed is compiled.
. "$(dirname "$0")/lib.sh"
build=${BUILD:-build}
case $build in /*) built=$build ;; *) built=$root/$build ;; esac
text=$root/CONTRIBUTING.md

block() { awk -v name="$1" '$0 == "```c " name { on = 1; next } /^```$/ { on = 0 } on' "$text"; }

extracted() {
    mkdir -p tree/build
    cp -a "$root/Makefile" "$root/include" "$root/src" "$root/scripts" tree/
    cp -a "$built/obj" "$built"/*.stamp tree/build/
    block norm.c >tree/src/measure/norm.c
    [ -s tree/src/measure/norm.c ]
    contains "$text" '^FOCI_MEASURE\(norm\)$'
    echo 'FOCI_MEASURE(norm)' >>tree/src/measure/list.h
    block norm.metric >row
    equal 1 "$(wc -l <row | tr -d ' ')"
    awk 'NR == FNR { row = $0; next } /^    \{0\}\};$/ && !done { print row; done = 1 } { print }' row \
        "$root/src/task/metrics.c" >tree/src/task/metrics.c
    equal 1 "$(diff "$root/src/task/metrics.c" tree/src/task/metrics.c | grep -c '^>')"
}
compiled() { make -C tree BUILD=build ${sanitized:+SAN=1} build/foci; }

listed() {
    runs list measures
    contains out '^norm +how large the weights are; options: power, checkpoint$'
}
measured() {
    make_images
    runs train vit.yaml --out run --set train.max_steps=2
    runs eval run --measure norm
    contains out '^norm of the weights [0-9]+\.[0-9]{3}$'
    runs eval run --measure norm:power=1 --json
    json weight_norm <out >ones
    runs eval run --measure norm --json
    json weight_norm <out >twos
    awk 'NR == FNR { one = $1; next } { exit !($1 > 1 && one > 2 * $1) }' ones twos
    runs eval run --measure norm --json --checkpoint run/last.safetensors
    fails 2 '--measure: its options stand behind a colon, as in corrupt:severity=3' eval run --measure norm --limit 3
}
refused() {
    fails_like 2 '--measure: norm: power: `0` is out of bounds.*' eval run --measure norm:power=0
    fails_like 2 '--measure: measurement norm has no option `size`, only power, checkpoint, and .*' \
        sweep vit.yaml --measure norm:size=1
    fails_like 2 '--measure: norm: power: `0` .*' sweep vit.yaml --measure norm:power=0 --out refused
    [ ! -e refused ]
}
swept() {
    runs sweep vit.yaml --vary attention.kind=softmax,elliptical --measure norm,norm:power=1 --set train.max_steps=1 \
        --out swept
    contains out 'norm of the weights'
    contains swept/table.csv '^"softmax","norm",weight_norm,,1,[0-9.]+,'
    contains swept/table.csv '^"elliptical","norm:power=1",weight_norm,,1,[0-9.]+,'
    contains swept/table.html ': foci eval RUN --measure norm:power=1$'
}
check "CONTRIBUTING.md has the measure and the metric" extracted
check "they compile" compiled
foci=$work/tree/build/foci
check "foci list measures shows it" listed
check "foci eval measures it" measured
check "its option is checked" refused
check "a sweep measures it" swept
finish
