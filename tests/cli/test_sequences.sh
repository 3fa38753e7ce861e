#!/bin/sh
# Long sequences as a user meets them: made, counted, shown, trained on, scored; and what is refused.
. "$(dirname "$0")/lib.sh"
check "lists" make_lists
check "images" make_images

counted() {
    runs data check encoder.yaml
    contains out '^train: 200 sequences in 10 classes read$'
    contains out '^val    lists/basic_val.tsv: 40 sequences, 10 classes$'
    contains out '^       the largest class alone: top-1 [0-9.]+ %$'
    runs data stats encoder.yaml --set data.cut=8
    contains out '^       [0-9]+ of 200 sequences longer than 8 tokens, cut there$'
}
shown() {
    runs data show encoder.yaml --count 2
    equal 2 "$(wc -l <out)"
    contains out '^[0-9] \(lists/basic_train.tsv:[0-9]+\), [0-9]+ tokens: \[(MIN|MAX|MED|SM) .*\] $'
}
deterministic() {
    runs data make listops again --train 200 --val 40 --test 30 --shortest 3 --longest 30 --depth 4 --args 4
    for split in train val test; do same lists/basic_$split.tsv again/basic_$split.tsv; done
    runs data make listops other --train 200 --val 40 --test 30 --shortest 3 --longest 30 --depth 4 --args 4 --seed 1
    ! cmp -s lists/basic_train.tsv other/basic_train.tsv
    equal 270 "$(cat lists/*.tsv | grep -v Source | sort -u | wc -l)"
    runs data make listops long --train 20 --val 1 --test 1
    equal 20 "$(awk -F'\t' 'NR > 1 { gsub(/[()]/, "", $1); n = split($1, t, / +/) - (substr($1, 1, 1) == " ") - (substr($1, length($1)) == " "); if (n > 500 && n < 2000) ok++ } END { print ok }' long/basic_train.tsv)"
    fails 2 'ListOps: no length is more than 9 and less than 10' data make listops none --shortest 9 --longest 10
    fails_like 2 '--size is not for listops' data make listops none --size 32
}
check "data check and stats" counted
check "data show" shown
check "data make listops" deterministic

trained() {
    runs train encoder.yaml --out run --set train.test_at_end=true
    contains err '^data: 200 training, 40 validation, 30 test sequences, 10 classes$'
    contains err '^test, accuracy: top-1 [0-9.]+ %, loss [0-9.]+ over 30 sequences$'
    runs eval run --json
    equal 40 "$(json sequences <out)"
    runs eval run --split test --json --predictions rows.csv --per-class
    equal "$(json top1 <out)" "$(grep -o '"test_top1": *[0-9.]*' run/metrics.jsonl | sed 's/.*: *//' | tail -n 1)"
    equal 31 "$(wc -l <rows.csv)"
    contains rows.csv '^"[^"]*lists/basic_test.tsv:2","[0-9]","[0-9]",'
    runs eval run --json --set data.train=/nowhere
    equal 10 "$(wc -l <run/classes.txt)"
}
predicted() { # as in the evaluation, to the last digit
    tail -n +2 lists/basic_test.tsv | cut -f 1 >lines.txt
    runs predict run lines.txt --json --top 10
    json predictions <out >/dev/null
    tr '{' '\n' <out | sed -n 's/^"class": "\([0-9]\)", "probability": \([0-9.e-]*\)}.*/\1 \2/p' >all
    tail -n +2 rows.csv | sed 's/.*:[0-9]*","\([0-9]\)","[0-9]",[0-9]*,\(.*\)/\1 \2/' >labels
    equal 30 "$(grep -c . labels)"
    while read -r row; do grep -qxF "$row" all || wrong "no such prediction: $row" "$(head -n 20 all)"; done <labels
    printf '[MAX 1 2 ]\n[MAX 1\n' >lines.txt
    exits 3 predict run lines.txt
    contains err '`.MAX 1`: 1 . without .'
    equal 1 "$(wc -l <out)"
    "$foci" predict run - <lines.txt >piped 2>/dev/null || :
    same out piped
    printf '\357\273\277[MAX 1 2 ]\r\n\n' >lines.txt
    runs predict run lines.txt
    same out piped
    printf '[MAX 1 2 ]\n[MAX \0 2 ]\n' >zero.txt
    fails 3 'zero.txt:2: a 0 byte: this is not text' predict run zero.txt
}
micro() { # in parts of a batch, dropout and all
    runs train encoder.yaml --out parts --set train.micro_batch=4 --set train.max_steps=4 --set train.log_every=1
    runs train encoder.yaml --out whole --set train.max_steps=4 --set train.log_every=1
    json loss <parts/metrics.jsonl | cut -c 1-6 >a
    json loss <whole/metrics.jsonl | cut -c 1-6 >b
    same a b
}
masks_of_maps() {
    runs train encoder.yaml --out map --set model.attn_dropout=0.2 --set train.max_steps=4
    runs train encoder.yaml --out map2 --set model.attn_dropout=0.2 --set train.max_steps=4 --threads 3
    same map/last.safetensors map2/last.safetensors
    ! cmp -s map/last.safetensors whole/last.safetensors
}
check "train, eval, test at the end" trained
check "labels of lines" predicted
check "a batch in parts" micro
check "dropout on the attention map" masks_of_maps

pairs() {
    awk 'BEGIN { for (i = 0; i < 60; i++) { w = i % 2 ? "same" : "other"; printf "%d.0\tA%d\tB%d\tsame words %d\t%s words %d\n", i % 2, i, i, i, w, i } }' >pairs.tsv
    sed -e 's/kind: encoder/kind: encoder, pair: true/; s/vocab: 16/vocab: 257/' \
        -e 's/^data: .*/data: {kind: byte_pairs, train: pairs.tsv, val: pairs.tsv, cut: 20}/' encoder.yaml >pairs.yaml
    runs data stats pairs.yaml
    contains out '^train  pairs.tsv: 60 pairs, 2 classes$'
    runs train pairs.yaml --out pairs --set train.max_steps=4 --set train.log_every=1
    runs train pairs.yaml --out pairs-parts --set train.max_steps=4 --set train.micro_batch=2 --set train.log_every=1
    json loss <pairs/metrics.jsonl | cut -c 1-6 >a
    json loss <pairs-parts/metrics.jsonl | cut -c 1-6 >b
    same a b
    fails_like 2 '--set model.pair=false: model.pair: pairs.tsv has pairs of sequences: true' train pairs.yaml --out x --set model.pair=false
}
bytes() {
    for split in train test; do for class in pos neg; do
        mkdir -p imdb/$split/$class
        for i in 1 2 3 4 5 6 7 8; do echo "a $class film, number $i" >imdb/$split/$class/$i.txt; done
    done; done
    sed -e 's/vocab: 16/vocab: 257/' -e 's/^data: .*/data: {kind: byte_text, train: imdb\/train, val: imdb\/test}/' encoder.yaml >bytes.yaml
    runs data check bytes.yaml
    runs train bytes.yaml --out bytes
    equal "neg pos" "$(paste -sd ' ' bytes/classes.txt)"
    contains bytes/data.txt ' train pos/1.txt$'
}
pixels() {
    sed -e 's/length: 32, vocab: 16/length: 64, vocab: 256/' \
        -e 's/^data: .*/data: {kind: pixels, train: images\/train, val_split: 0.2, test: images\/val, size: 8}/' encoder.yaml >pixels.yaml
    runs data check pixels.yaml
    contains out '^test   images/val: 40 sequences, 10 classes$'
    runs data show pixels.yaml --out sheet.png --count 4
    cp -r images spoilt
    bad=$(find spoilt/val -name '*.png' -o -name '*.jpg' | sort | head -n 1)
    head -c 100 "$bad" >cut && mv cut "$bad"
    fails_like 3 "$bad: .*" train pixels.yaml --out x --set data.val=spoilt/val # before the first step
    [ ! -e x/metrics.jsonl ]
    runs train pixels.yaml --out pixels --set train.batch_size=8
    runs eval pixels --split test --json
    runs train pixels.yaml --out black --set train.batch_size=8 --set data.black_is_padding=true --set train.max_steps=2
    fails_like 2 '.*model.length: 64 is less than the 32 x 32 pixels of images/train' train pixels.yaml --out x --set data.size=0
}
check "pairs" pairs
check "bytes in a folder a class" bytes
check "pixels" pixels

paths() {
    runs data make pathfinder paths --images 80
    sed -e 's/length: 32, vocab: 16/length: 1024, vocab: 256/' -e 's/^data: .*/data: {kind: pathfinder, root: paths}/' encoder.yaml >paths.yaml
    runs data check paths.yaml
    contains out '^train: 64 sequences in 2 classes read$'
    contains out '^       the largest class alone: top-1 50.00 %$'
    runs data show paths.yaml --out paths.png --count 4
    runs train paths.yaml --out pathrun --set train.max_steps=2 --set train.batch_size=4
    runs eval pathrun --split test --json
    equal 8 "$(json sequences <out)"
    cp -r paths spoilt-paths
    bad=$(sed -n 65p paths/metadata/0.npy | cut -d ' ' -f 1,2 | tr ' ' /) # the first for validation
    head -c 40 "paths/$bad" >"spoilt-paths/$bad"
    fails_like 3 "spoilt-paths/$bad: .*" train paths.yaml --out y --set data.root=spoilt-paths
    [ ! -e y/metrics.jsonl ]
    fails_like 2 '.*data.kind: pathfinder are no lines of text' predict pathrun lines.txt
    fails_like 2 '--train is not for pathfinder' data make pathfinder none --train 3
}
check "data make pathfinder" paths

refused() {
    fails_like 2 '--set model.vocab=15: model.vocab: 15 is less than the 16 tokens that data.train may have' train encoder.yaml --out x --set model.vocab=15
    fails_like 2 '--set model.num_classes=9: model.num_classes: 9, but data.train has 10 classes' train encoder.yaml --out x --set model.num_classes=9
    fails_like 2 '--set train.batch_size=201: train.batch_size: 201 is more than the 200 training sequences' train encoder.yaml --out x --set train.batch_size=201
    fails_like 2 '.*data.kind: names no sequences' eval run --split test --set data.test=
    fails_like 2 'sequences have the splits val and test, not dev' eval run --split dev
    fails_like 2 '.*data.kind: listops is sequences, but model.kind vit wants images' train encoder.yaml --out x --set model.kind=vit --set model.depth=2
    { cat lists/basic_train.tsv; printf '( [MAX 1 )\t1\n'; } >bad.tsv
    fails 3 'bad.tsv:202: 1 [ without ]' train encoder.yaml --out x --set data.train=bad.tsv
    { cat lists/basic_train.tsv; printf '[MAX 1 ]\t2\n'; } >bad.tsv
    exits 3 data check encoder.yaml --set data.train=bad.tsv
    contains out '^bad.tsv:202: the value is 1, but the label is 2$'
}
check "what is refused" refused
finish
