#!/bin/sh
# The worked examples "a new task" and "a new model" of CONTRIBUTING.md, taken from the page itself: three files and a row in
# src/task, one file in src/models, one line in each list, and foci trains, resumes, scores and times what it never knew.
. "$(dirname "$0")/lib.sh"
build=${BUILD:-build}
case $build in *-san) san=1 ;; *) san= ;; esac

# page NAME: the block ```c NAME or ```yaml NAME of the page
page() { awk -v name="$1" '/^```/ { on = !on && $2 == name; next } on' "$root/CONTRIBUTING.md"; }
extract() {
    cp -a "$root/Makefile" "$root/include" "$root/src" "$root/scripts" .
    mkdir -p "$build"
    cp -a "$root/$build/obj" "$root/$build"/*.stamp "$build/"
    for f in points.h data_points.c points.c; do page "$f" >"src/task/$f"; test -s "src/task/$f"; done
    page sectors.c >src/models/sectors.c
    page points.yaml >points.yaml
    test -s src/models/sectors.c && test -s points.yaml
    for line in 'FOCI_TASK(points) task/list.h' 'FOCI_DATA_SET(points) task/data_list.h' 'FOCI_MODEL(sectors) models/list.h'; do
        set -- $line
        grep -qF "\`$1\`" "$root/CONTRIBUTING.md"
        echo "$1" >>"src/$2"
    done
    page metrics.c >row
    test -s row
    sed -i '/^    {"tokens", /r row' src/task/metrics.c
    grep -q '"points"' src/task/metrics.c
}
builds() {
    sh scripts/check-layers.sh
    make -j2 BUILD="$build" SAN=$san "$build/foci"
}
listed() {
    runs list models
    contains out '^sectors  *one hidden layer, for points$'
    runs list data
    contains out '^points  *points of the plane, made up$'
    runs data stats points.yaml
    equal '256 training points, 64 validation points, 4 sectors' "$(cat out)"
}
planned() {
    runs train points.yaml --dry-run
    contains out '^data  *256 training, 64 validation points$'
    contains out '^MFLOP per point '
}
trains() {
    runs train points.yaml --out run
    contains run/log.txt '^epoch 40.00, step 320: validation top-1 [0-9.]* %, loss [0-9.]* over 64 points$'
    awk -v top1="$(json top1 <run/metrics.jsonl | grep -v absent | tail -n 1)" 'BEGIN { exit !(top1 > 90) }'
}
resumes() {
    runs train points.yaml --out cut --set train.max_steps=101 --set train.checkpoint_every=50
    runs train points.yaml --out cut --resume --set train.checkpoint_every=50
    same run/last.safetensors cut/last.safetensors
}
evaluates() {
    runs eval run --json
    equal 'split loss top1 points' "$(json <out)"
    fails 2 'points have the split val, not test' eval run --split test
    fails_like 2 '.*train.batch_size: more than the 8 points.*' train points.yaml --out small --set data.train=8
}
is_timed() {
    runs bench points.yaml --steps 3 --json
    equal 32 "$(json batch <out)"
    runs bench points.yaml --steps 3 --data
    contains out 'points/s'
}
of_one_task() {
    fails_like 2 '.*data.kind: points is points, but model.kind vit wants images.*' train points.yaml --out no --set model.kind=vit
    fails_like 2 '.*model.kind: sectors on points has no words to generate.*' generate run
    fails_like 2 '.*model.kind: sectors has no samples to look at.*' analyze run
}
check "CONTRIBUTING.md has the examples" extract
check "they build" builds
foci=$work/$build/foci
check "their model and data are listed" listed
check "the plan" planned
check "it trains" trains
check "it resumes to the same bits" resumes
check "it is evaluated" evaluates
check "it is timed" is_timed
check "other tasks are none of its" of_one_task
finish
