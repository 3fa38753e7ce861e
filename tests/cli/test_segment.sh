#!/bin/sh
# Segmentation from the command line: training, evaluation by windows, corrupted images, prediction, bad data.
. "$(dirname "$0")/lib.sh"
make_scenes || exit 1

# Class 4 has no pixel.
trains() {
    runs train city.yaml --out city-run
    contains err 'validation mean IoU [0-9.]+ %, mean class accuracy [0-9.]+ %, pixel accuracy [0-9.]+ %, loss [0-9.]+ over 6 images'
    contains city-run/classes.txt '^class 4$'
    runs eval city-run --per-class
    contains out '^val: mean IoU [0-9.]+ %, .* over 6 images$'
    contains out '^left out of the means, since no pixel has them: class 4$'
    contains out '^class 4 +0$'
    runs eval city-run --split test --json
    equal test "$(json split <out)"
    equal '["class4"]' "$(json left_out <out | tr -d ' ')"
    awk -v x="$(json pixel_accuracy <out)" 'BEGIN { exit !(x > 60) }' || wrong "pixel accuracy" "$(cat out)"
}
threads() {
    for n in 1 3; do runs train city.yaml --out threads-$n --threads $n --set train.max_steps=5 --set data.workers=$n; done
    same threads-1/last.safetensors threads-3/last.safetensors
}
resumed() {
    sgd='--set train.optimizer=sgd --set train.nesterov=true --set train.lr=0.2'
    runs train city.yaml --out whole $sgd --set train.max_steps=7
    runs train city.yaml --out cut $sgd --set train.max_steps=4
    runs train city.yaml --out cut $sgd --resume --set train.max_steps=7
    same_weights whole/last.safetensors cut/last.safetensors
}
# The loss is the mean over the pixels of the batch, of which its parts have different numbers.
parts() {
    runs train city.yaml --out parts --set train.max_steps=7 --set train.micro_batch=1 --set model.decoder_dropout=0
    runs train city.yaml --out batch --set train.max_steps=7 --set model.decoder_dropout=0
    one=$(sed -n '$p' parts/metrics.jsonl | json loss) other=$(sed -n '$p' batch/metrics.jsonl | json loss)
    awk -v a="$one" -v b="$other" 'BEGIN { d = a - b; exit !(d * d < 1e-10) }' || wrong "losses $one and $other"
}
linear() {
    runs train city.yaml --out linear --set model.decoder=linear --set train.max_steps=2
    runs train city.yaml --out queries --set model.decoder_queries=true --set train.max_steps=2
}
# From a classifier: names without "encoder.", a table of positions of another grid.
from_a_classifier() {
    cat >vit.yaml <<'EOF'
name: vit
model: {kind: vit, img_size: 16, patch_size: 8, embed_dim: 16, depth: 2, num_heads: 2}
attention: {kind: elliptical}
data: {kind: image_folder, root: pets, val_split: 0.5}
train: {batch_size: 2, epochs: 1}
EOF
    for class in cat dog; do mkdir -p pets/$class; cp city/images/training/?.png pets/$class/; done
    runs train vit.yaml --out vit
    runs train city.yaml --out from-vit --init vit/best.safetensors --set train.max_steps=1
    contains err '30 of 51 parameters from vit/best.safetensors; of another size: pos_embed resized from 2x2 to 4x5 patches, bilinearly; new, not in the file: decoder\.'
    lacks err 'not used'
    runs train city.yaml --out again --init city-run/best.safetensors --set data.classes=5 --set train.max_steps=1
    contains err 'new, of another shape: decoder.cls_emb is '
    contains err 'of 5 outputs 4 are known there by name and keep their weights'
}
corrupted() {
    runs eval city-run --corrupt fog,contrast --severity 1-2
    contains out '^fog +[0-9.]+ +[0-9.]+ '
    contains out '^means: IoU [0-9.]+ %, class accuracy [0-9.]+ %, pixel accuracy [0-9.]+ %$'
    fails 2 '--corrupt-dir and --relative-to are for classifiers of images' eval city-run --corrupt fog --relative-to city-run
}
# A stride does not matter where one window holds all of the image; the border's windows overlap without it too.
windows() {
    runs eval city-run --json
    json miou <out >without
    runs eval city-run --json --set data.stride=500
    equal "$(cat without)" "$(json miou <out)"
    runs eval city-run --json --set data.stride=5
    [ "$(json miou <out)" != "$(cat without)" ] || wrong "the same with a stride of 5"
    for n in 1 3 100; do
        runs eval city-run --json --set train.eval_batch=$n
        equal "$(cat without)" "$(json miou <out)"
    done
}
looked_at() {
    runs analyze city-run --limit 4
    contains out '^encoder.blocks.1 '
    runs bench city.yaml --steps 1
    fails_like 2 '.*: segmenter on segmentation has no images to attack' attack city-run --method fgsm --eps 1/255
    fails_like 2 '.*: segmenter on segmentation has no words to generate' generate city-run
}
check "a segmenter is trained and scored" trains
check "any number of threads: the same bits" threads
check "stopped and resumed: the same bits" resumed
check "parts of a batch: the same loss" parts
check "other decoders" linear
check "a classifier's weights to begin with" from_a_classifier
check "corrupted images" corrupted
check "windows" windows
check "analysis and bench; no attacks" looked_at

# ---------------------------------------------------------------------------------------------------- predictions

predicts() {
    runs predict city-run city/images/test/200.png --top 2
    contains out '^city/images/test/200.png  0\.[0-9]+ class [123], 0\.[0-9]+ class [123]$'
    runs predict city-run city --out masks --json
    equal 48 "$(json predictions <out | grep -c '"mask"' || true)" || true
    [ -f masks/images/test/200.png ] && [ -f masks/images/test/200-overlay.jpg ]
    # what is written is what is scored: the masks as labels have all pixels right
    mkdir -p twin/annotations/validation twin/images
    cp -r city/images/validation twin/images/validation
    for f in city/images/validation/*.png; do cp "masks/images/validation/${f##*/}" twin/annotations/validation/; done
    runs eval city-run --set data.root=twin --set 'data.ignored=[]' --json
    equal 100 "$(json pixel_accuracy <out)"
}
listed() {
    ls city/images/test/*.png >list
    "$foci" predict city-run - <list >out
    equal "$(wc -l <list)" "$(wc -l <out)"
    "$foci" predict city-run - </dev/null >out 2>err && wrong "nothing was named"
    contains err 'standard input: names nothing'
}
bad_photographs() {
    echo text >text.jpg
    exits 3 predict city-run text.jpg city/images/test/200.png none.png
    contains err 'none.png: no such file or folder'
    exits 3 predict city-run text.jpg city/images/test/200.png
    contains err 'text.jpg: neither a JPEG nor a PNG image'
    contains err '1 of 2 cannot be read'
    contains out '^city/images/test/200.png '
    fails 2 'city/images/test/200.png and city/images/test/200.png would leave files of one name' \
        predict city-run city/images/test/200.png city/images/test/200.png --out masks
}
# What cannot be read is named, the others go on, and the exit code says so in the end.
one_of_a_folder() {
    rm -rf street masks && mkdir street && cp city/images/test/*.png street && head -c 60 city/images/test/200.png >street/201.png
    exits 3 predict city-run street --json --out masks
    json predictions <out >/dev/null
    contains out '\{"file": "street/201.png", "error": "street/201.png: not a whole PNG image"\}'
    equal "foci: 1 of 6 cannot be read" "$(tail -n 1 err)"
    equal "$(ls street | wc -l)" "$(grep -o '"file"' out | wc -l)"
    equal 5 "$(ls masks | grep -c -v overlay)"
    [ ! -e masks/201.png ]
    exits 3 predict city-run street
    equal 5 "$(wc -l <out)"
}
# Classes of photographs: those of the evaluation, to the last digit that it writes.
classifies() {
    runs eval vit --predictions rows.csv
    runs predict vit pets --json --top 2
    tr '{' '\n' <out | sed -n 's/^"file": "pets\/\(.*\)", "classes.*/\1/p; s/^"class": "\(.*\)", "probability": \([0-9.e-]*\)}.*/\1 \2/p' |
        awk '/\.png$/ { file = $1; next } { print file, $1, $2 }' >all
    tail -n +2 rows.csv | tr -d '"' | awk -F , '{ print $1, $2, $5 }' >labels
    [ -s labels ]
    while read -r row; do grep -qxF "$row" all || wrong "no such prediction: $row" "$(head -n 20 all)"; done <labels
    fails_like 2 '--out: vit has no pictures to write' predict vit pets --out masks
    runs predict vit pets --top 1
    tail -n +2 rows.csv | while IFS=, read -r name label predicted rank probability; do
        name=$(echo "$name" | tr -d '"') predicted=$(echo "$predicted" | tr -d '"')
        contains out "^pets/$name  [0-9.]+ $predicted\$"
        [ "$rank" -ne 1 ] || contains out "^pets/$name  $(printf %.4f "$probability") "
    done
}
progress() {
    command -v script >/dev/null || { echo "skipped: there is no script to make a terminal"; return 0; }
    TERM=xterm script -qec "$foci predict vit pets --top 1" typed </dev/null >/dev/null
    contains typed '2 of [0-9]+'
}
check "masks and overlays" predicts
check "names from standard input" listed
check "photographs that cannot be read" bad_photographs
check "one of a folder cannot be read" one_of_a_folder
check "classes of photographs" classifies
check "a progress line on a terminal" progress

# ------------------------------------------------------------------------------------------------------- bad data

# MESSAGE: training refuses the folder `bad`, and so does `data check`.
refused() {
    fails_like 3 "$1" train city.yaml --out bad-run --set data.root=bad --set data.test=
    exits 3 data check city.yaml --set data.root=bad --set data.test=
    cat out err >both
    contains both "$1"
}
spoil() { # COMMAND...: on a copy
    rm -rf bad bad-run
    cp -r city bad
    "$@"
}
another_size() {
    spoil ./scenes png bad/annotations/training/3.png 40 31 0 8 1
    refused 'bad/annotations/training/3.png: 40 x 31 labels for an image of 40 x 30 pixels'
}
no_class() {
    spoil ./scenes png bad/annotations/training/3.png 40 30 0 8 9
    refused 'bad/annotations/training/3.png: the label 9 at \(0, 0\) is neither one of the 4 classes, 1 to 4, nor ignored'
    spoil ./scenes png bad/annotations/training/3.png 40 30 0 16 1
    refused 'bad/annotations/training/3.png: the label 257 at .*'
}
colours() {
    spoil ./scenes png bad/annotations/training/3.png 40 30 2 8 1
    refused 'bad/annotations/training/3.png: a PNG image of colours; labels are grey or have a palette'
}
unreadable() {
    spoil sh -c 'head -c 60 city/annotations/training/3.png >bad/annotations/training/3.png'
    refused 'bad/annotations/training/3.png: not a whole PNG image'
    spoil sh -c 'echo x >bad/images/training/3.png'
    refused 'bad/images/training/3.png: neither a JPEG nor a PNG image'
}
# A palette's indices and grey of any depth are the same labels.
kinds_of_labels() {
    runs train city.yaml --out grey --set train.max_steps=2
    for kind in '0 2' '0 4' '0 16' '3 2' '3 8'; do
        rm -rf bad
        ./scenes bad 12 40 30 $kind
        runs train city.yaml --out kind --force --set data.root=bad --set train.max_steps=2
        same_weights grey/last.safetensors kind/last.safetensors
    done
}
# What is only met in an evaluation is known before the first step.
validation_too() {
    spoil ./scenes png bad/annotations/validation/103.png 40 30 0 8 9
    refused 'bad/annotations/validation/103.png: the label 9 at .*'
    [ ! -e bad-run/metrics.jsonl ]
    exits 3 eval city-run --set data.root=bad
    contains err '^foci: bad/annotations/validation/103.png: the label 9 at .*'
    spoil sh -c 'head -c 100 city/images/test/203.png >bad/images/test/203.png'
    fails_like 3 'bad/images/test/203.png: not a whole PNG image' train city.yaml --out bad-run --set data.root=bad --set train.test_at_end=true
}
# All that are not there are named; where there is none at all, nothing can be said.
absent() {
    spoil sh -c 'for i in 0 1 2 3 4 5; do ./scenes png bad/annotations/validation/10$i.png 40 30 0 8 2; done'
    runs eval city-run --set data.root=bad
    contains out '^left out of the means, since no pixel has them: class 1, class 3, class 4$'
    runs eval city-run --set data.root=bad --json
    equal '["class1","class3","class4"]' "$(json left_out <out | tr -d ' ')"
    spoil sh -c 'for i in 0 1 2 3 4 5; do ./scenes png bad/annotations/validation/10$i.png 40 30 0 8 0; done'
    fails_like 3 'no pixel of the 6 images has a class' eval city-run --set data.root=bad
    refused 'bad/annotations/validation: no pixel has a class'
}
nothing_there() {
    rm -rf bad bad-run && mkdir -p bad
    refused 'bad: no folder images in it'
    mkdir -p bad/images/training bad/annotations/training
    refused 'bad/images/training: a class without an image .*'
    spoil sh -c 'rm bad/annotations/validation/*'
    refused 'bad/annotations/validation: a class without an image .*'
    spoil sh -c 'tar -cf bad/annotations.tar -C bad annotations && rm -r bad/annotations'
    refused 'bad: no folder annotations in it'
}
huge() { # within a gigabyte
    spoil cp "$root/tests/fuzz/corpus/png/huge_header" bad/annotations/training/3.png
    refused 'bad/annotations/training/3.png: 65535 x 65535 pixels, more than foci reads .*'
    spoil cp "$root/tests/fuzz/corpus/png/stream_bomb" bad/annotations/training/3.png
    refused 'bad/annotations/training/3.png: .*'
}
unpaired() {
    spoil rm bad/annotations/training/3.png
    refused 'bad/images/training/3.png: no labels of that name in bad/annotations'
    spoil rm bad/images/training/3.png
    refused 'bad/annotations/training/3.png: no image of that name in bad/images'
    spoil rm -r bad/annotations
    refused 'bad: no folder annotations in it'
    spoil rm -r bad/images/validation
    refused 'bad/images/validation: no such folder, or no image in it'
}
in_a_tar() {
    tar -cf city.tar city
    runs train city.yaml --out tar --set data.root=city.tar --set train.max_steps=3
    runs train city.yaml --out folder --set train.max_steps=3
    same tar/last.safetensors folder/last.safetensors
}
settings() {
    fails_like 2 '.*data.classes: how many classes are there\? .*' train city.yaml --set data.classes=0
    fails_like 2 '.*model.num_classes: 5, but the data has 4 classes' train city.yaml --set model.num_classes=5
    fails_like 2 '.*data.sides: needs one number, or the shorter and the longer side' train city.yaml --set 'data.sides=[60, 30]'
    fails_like 2 '.*data.root: names no images' train city.yaml --set data.root=
}
check "labels of another size" another_size
check "a label that is no class" no_class
check "labels that are colours" colours
check "files that cannot be read" unreadable
check "labels of any depth, grey or with a palette" kinds_of_labels
check "bad validation and test data are known before the first step" validation_too
check "classes that no pixel has" absent
check "nothing there" nothing_there
check "labels that are huge" huge
check "an image or labels alone" unpaired
check "a tar is read as a folder is" in_a_tar
check "settings that mean nothing" settings

shown() {
    runs data show city.yaml --out sheet.png --count 4
    [ -s sheet.png ]
    runs data stats city.yaml
    contains out '^    class 4 +0.00 %  \(no pixel\)$'
}
check "data show and stats" shown
finish
