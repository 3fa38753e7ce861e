#!/bin/sh
# The worked examples of CONTRIBUTING.md, taken from the page itself and added to one copy of the tree: foci trains, resumes,
# scores, times, corrupts and prints what it never knew, and no other file was touched than the page says.
. "$(dirname "$0")/lib.sh"
. "$root/tests/cli/tree.sh"
page=CONTRIBUTING.md

extracted() {
    tree
    add $page points.h src/task/points.h
    add $page data_points.c src/task/data_points.c
    add $page points.c src/task/points.c
    line $page 'FOCI_TASK(points)' src/task/list.h
    line $page 'FOCI_DATA_SET(points)' src/task/data_list.h
    behind src/task/metrics.c '{"tokens", ' $page metrics.c
    add $page data_csv.c src/task/data_csv.c
    line $page 'FOCI_DATA_SET(csv)' src/task/data_list.h
    add $page sectors.c src/models/sectors.c
    line $page 'FOCI_MODEL(sectors)' src/models/list.h
    add $page points.yaml points.yaml
    add $page norm.c src/measure/norm.c
    line $page 'FOCI_MEASURE(norm)' src/measure/list.h
    behind src/task/metrics.c '{"points", ' $page norm.metric
    add $page lerp.c src/ops/lerp.c
    line $page 'FOCI_OP(lerp)' src/ops/list.h
    behind include/foci/ops.h 'foci_tensor *foci_add(' $page lerp.declaration
    add $page echo.c src/attention/echo.c
    line $page 'FOCI_ATTENTION(echo)' src/attention/list.h
    add $page grey.c src/shift/grey.c
    line $page 'FOCI_CORRUPTION(grey)' src/shift/corruptions.h
    add $page cmd_words.c src/cli/cmd_words.c
    line $page 'FOCI_COMMAND(words)' src/cli/list.h
    behind src/models/vit.c 'int64_t num_classes' $page pool.field
    behind src/models/vit.c 'FOCI_KEY(options, num_classes' $page pool.row
    use=$(block $page pool.use)
    sed "s/foci_select(g, x, 0)/$use/" tree/src/models/vit.c >changed
    ! cmp -s changed tree/src/models/vit.c
    cp changed tree/src/models/vit.c
    cp tree/points.yaml .
}
named() { # what the sections say: paths between "Files touched" and the end of the paragraph
    awk '/^Files touched/ { on = 1 } !NF { on = 0 } on' "$root/$page" | grep -o '`\(src\|include\)/[^`]*`' | tr -d '`'
}
only_what_is_named() {
    touched >changed_files
    named | grep -v '^src/attack/options.h$' | sort -u >named_files # an option of attacks is only told of
    same named_files changed_files
}

# -------------------------------------------------------------------------------- a task with its data and model

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
    runs train points.yaml --out points
    contains points/log.txt '^epoch 40.00, step 320: validation top-1 [0-9.]* %, loss [0-9.]* over 64 points$'
    awk -v top1="$(json top1 <points/metrics.jsonl | grep -v absent | tail -n 1)" 'BEGIN { exit !(top1 > 90) }'
}
resumes() {
    runs train points.yaml --out cut --set train.max_steps=101 --set train.checkpoint_every=50
    runs train points.yaml --out cut --resume --set train.checkpoint_every=50
    same points/last.safetensors cut/last.safetensors
}
evaluates() {
    runs eval points --json
    equal 'split loss top1 points' "$(json <out)"
    fails 2 'points have the split val, not test' eval points --split test
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
    fails_like 2 '.*model.kind: sectors on points has no words to generate.*' generate points
    fails_like 2 '.*model.kind: sectors has no samples to look at.*' analyze points
}

# --------------------------------------------------------------------------------------------------- a data set

csv_counts() {
    awk 'BEGIN { for (i = 0; i < 200; i++) { x = sin(i * 7); y = cos(i * 3); print x "," y "," (x > y) } }' >some.csv
    head -n 160 some.csv >train.csv
    tail -n 40 some.csv >val.csv
    echo 'model: {kind: sectors}
data: {kind: csv, train: train.csv, val: val.csv, classes: 2}
train: {batch_size: 32, epochs: 40, lr: 0.02}' >csv.yaml
    runs list data
    contains out '^csv  *points of the plane, from text files$'
    for what in stats check; do
        runs data $what csv.yaml
        contains out '^160 training points, 40 validation points$'
    done
}
csv_trains() {
    runs train csv.yaml --out csv
    runs eval csv --json
    equal 40 "$(json points <out)"
    awk -v top1="$(json top1 <out)" 'BEGIN { exit !(top1 > 85) }'
}
csv_refuses() {
    for bad in '1,2' '1,2,2' '1,2,-1' '1,nan,0' '1,2,0 ' '1, 2,0' ',2,0' ''; do
        { head -n 3 train.csv; echo "$bad"; cat train.csv; } >bad.csv
        fails 3 'bad.csv:4: not X,Y,LABEL with a label below data.classes' data check csv.yaml --set data.train=bad.csv
        fails 3 'bad.csv:4: not X,Y,LABEL with a label below data.classes' train csv.yaml --out no --set data.train=bad.csv
    done
    fails_like 2 '.*data.classes.*' data stats csv.yaml --set data.classes=1
}

# -------------------------------------------------------------------------------------- a measure and its metric

measure_listed() {
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
measure_refused() {
    fails_like 2 '--measure: norm: power: `0` is out of bounds.*' eval run --measure norm:power=0
    fails_like 2 '--measure: measurement norm has no option `size`, only power, checkpoint, and .*' \
        sweep vit.yaml --measure norm:size=1
    fails_like 2 '--measure: norm: power: `0` .*' sweep vit.yaml --measure norm:power=0 --out refused
    [ ! -e refused ]
}
measure_swept() {
    runs sweep vit.yaml --vary attention.kind=softmax,elliptical --measure norm,norm:power=1 --set train.max_steps=1 \
        --out swept
    contains out 'norm of the weights'
    contains swept/table.csv '^"softmax","norm",weight_norm,,1,[0-9.]+,'
    contains swept/table.csv '^"elliptical","norm:power=1",weight_norm,,1,[0-9.]+,'
    contains swept/table.html ': foci eval RUN --measure norm:power=1$'
}

# ------------------------------------------------------- an operation, an attention, a corruption, a command, a key

echo_trains() { # attention with a parameter, a buffer and a penalty; the operation is in it
    runs list ops
    contains out '^lerp  *between two tensors of one shape, by a weight$'
    runs list attention
    contains out '^echo .*dot-product attention and its echo$'
    for penalty in 0 50; do
        runs train vit.yaml --out echo-$penalty --set attention.kind=echo --set attention.penalty=$penalty --set train.max_steps=20
        grep -aq '"blocks.1.attn.fixed"' echo-$penalty/last.safetensors
        grep -aq '"blocks.1.attn.learnt"' echo-$penalty/last.safetensors
        runs eval echo-$penalty
    done
    ! cmp -s echo-0/last.safetensors echo-50/last.safetensors
    fails_like 2 '.*attention.penalty.*out of bounds.*' train vit.yaml --out no --set attention.kind=echo --set attention.penalty=-1
}
echo_resumes() {
    runs train vit.yaml --out echo-cut --set attention.kind=echo --set attention.penalty=50 --set train.max_steps=8
    runs train vit.yaml --out echo-cut --set attention.kind=echo --set attention.penalty=50 --set train.max_steps=20 --resume
    same echo-50/last.safetensors echo-cut/last.safetensors
}
corrupts() {
    runs list corruptions
    contains out '^grey  *colours lose the share c \(extra\)$'
    runs eval run --corrupt grey --limit 8 --json
    contains out '"corruptions":\{"grey":\{"errors":\[([0-9.]+,){4}[0-9.]+\]'
}
commands() {
    printf 'the oak the elm\nthe oak\n' >trees.txt
    runs words trees.txt --most 3
    printf '%8d  %s\n' 2 '<eos>' 3 the 2 oak >expected
    same expected out
    for in in commands man completion; do
        runs help $in
        contains out 'foci words'
    done
    fails_like 2 '.*--most.*out of bounds.*' words trees.txt --most 0
}
keys() {
    runs help config model
    contains out '^  pool '
    runs train vit.yaml --out mean --set model.pool=mean --set train.max_steps=2
    runs train vit.yaml --out token --set model.pool=token --set train.max_steps=2
    same run/last.safetensors token/last.safetensors
    ! cmp -s run/last.safetensors mean/last.safetensors
    fails_like 2 '.*model.pool.*' train vit.yaml --out no --set model.pool=median
}

check "CONTRIBUTING.md has the examples" extracted
check "they touch the files that it names" only_what_is_named
check "they build" build_tree
foci=$tree_foci
check "task: its model and data are listed" listed
check "task: the plan" planned
check "task: it trains" trains
check "task: it resumes to the same bits" resumes
check "task: it is evaluated" evaluates
check "task: it is timed" is_timed
check "task: other tasks are none of its" of_one_task
check "data set: it is counted and checked" csv_counts
check "data set: it trains" csv_trains
check "data set: bad lines are named" csv_refuses
check "measure: it is listed" measure_listed
check "measure: foci eval measures it" measured
check "measure: its option is checked" measure_refused
check "measure: a sweep measures it" measure_swept
check "operation and attention: they train" echo_trains
check "attention: its parts resume to the same bits" echo_resumes
check "corruption: it is measured" corrupts
check "command: it runs and is documented" commands
check "key: it is explained, checked and used" keys
finish
