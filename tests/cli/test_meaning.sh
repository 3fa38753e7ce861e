#!/bin/sh
# A run knows its data: it carries the names of its outputs, needs no training data to be used, maps folders by name, and
# goes on only with the data that it was begun with; and no figure is made of numbers that are none.
. "$(dirname "$0")/lib.sh"
short="--set train.max_steps=4 --set train.eval_every=4 --threads 1"
prepare() {
    make_images
    make_text
    runs train vit.yaml $short --out vit
    runs train lm.yaml $short --out lm
    mkdir away
    cp -r vit lm away
}
check "two runs" prepare

head_of() { # FILE: of its header, a pair a line
    head -c 6000 "$1" | grep -ao '"[a-z]*":"[^"\\]*\(\\.[^"\\]*\)*"'
}
carries() {
    ls images/train >names
    same names vit/classes.txt
    for file in vit/best.safetensors vit/last.safetensors; do
        head_of "$file" >head
        printf '%b' "$(sed -n 's/^"classes":"\(.*\)"$/\1/p' head)" >inside
        same names inside
        contains head '"transform":"\{\\"height\\": 32, \\"width\\": 32, \\"crop_pct\\": 0.875'
        contains head '"data":"train 64 files, [0-9]+ bytes, [0-9a-f]{16}; val 40 files'
    done
    equal '<eos>' "$(head -n 1 lm/vocabulary.txt)"
    head_of lm/best.safetensors >head
    contains head '^"vocabulary":"<eos>\\n'
    equal "64 40" "$(grep -c ' train ' vit/data.txt) $(grep -c ' val ' vit/data.txt)"
}
check "names, transform and fingerprint, in the folder and in the weights" carries

# ------------------------------------------------------------------------------------ on a machine without the data
elsewhere() {
    cp -r images/val seen
    mv images text hidden/
    runs eval away/vit --set data.val=seen --json
    json top1 loss images <out >without
    mv hidden/images hidden/text .
    runs eval vit --json
    json top1 loss images <out >with
    same with without
    mv images text hidden/
    runs generate away/lm --tokens 5
    [ -s out ]
    runs attack away/vit --set data.val=seen --method fgsm --eps 1/255 --limit 10
    runs analyze away/vit --set data.val=seen --limit 10
    cp hidden/text/test.txt other.txt
    runs eval away/lm --set data.valid=other.txt
}
mkdir hidden
check "a run without its training data is evaluated, attacked, looked into, and writes" elsewhere
mv hidden/images hidden/text . 2>/dev/null

prepared() {
    runs eval vit --set data.mean=0.5
    contains err 'best.safetensors learnt from images prepared otherwise: .*"mean": \[0.485, .*here .*"mean": \[0.5, 0.5, 0.5\]'
    runs eval vit
    lacks err 'otherwise'
}
check "images prepared in another way than the weights learnt" prepared

by_name() { # seen: of the ten classes some are there, and one has another order on the disk
    rm -rf part
    cp -r images/val part
    first=$(ls part | head -n 1)
    rm -r "part/$first"
    runs eval vit --set data.val=part --json
    json images <out >count
    equal "$(find part -type f | wc -l | tr -d ' ')" "$(cat count)"
    runs eval vit --val-dir part --json # the same among these classes alone
    # each image by itself gives the logits that it gives in the whole set
    right=0
    for class in $(ls images/val); do
        rm -rf one
        mkdir one
        cp -r "images/val/$class" one
        runs eval vit --set data.val=one --json
        right=$(awk -v all="$right" -v top1="$(json top1 <out)" -v n="$(json images <out)" 'BEGIN { print all + top1 * n / 100 }')
    done
    runs eval vit --json
    equal "$(awk -v top1="$(json top1 <out)" 'BEGIN { printf "%.0f", top1 * 40 / 100 }')" "$(printf '%.0f' "$right")"
}
check "folders are mapped by name" by_name
unknown_class() {
    mv "part/$(ls part | tail -n 1)" part/zebra
    fails_like 3 "part: the class zebra is none of the model's 10 .*" eval vit --set data.val=part
}
check "a class that the model does not know" unknown_class

# ------------------------------------------------------------------------------------------------- changed data
changed() { # FILE WHAT: resuming says so, and goes on where it is accepted
    fails_like 3 "vit was begun with other data: train: $1 $2; --accept-changed-data goes on with what is there now" \
        train vit.yaml --set train.max_steps=8 --set train.eval_every=4 --resume --out vit
}
files() {
    class=$(ls images/train | head -n 1)
    file=$class/$(ls images/train/$class | head -n 1)
    mv "images/train/$file" kept
    changed "$file" "is gone"
    other=$(ls images/train | tail -n 1)
    cp "$(find "images/train/$other" -type f | head -n 1)" "images/train/$file"
    changed "$file" "has changed"
    mv kept "images/train/$file"
    cp "images/train/$file" "images/train/$class/zzz.png"
    changed "$class/zzz.png" "is new"
    rm "images/train/$class/zzz.png"
    cp -r vit whole
    runs train vit.yaml --set train.max_steps=8 --set train.eval_every=4 --resume --out whole # nothing changed
    rm "images/train/$file"
    cp -r vit gone
    runs train vit.yaml --set train.max_steps=8 --set train.eval_every=4 --resume --accept-changed-data --out gone
    contains gone/log.txt "the data changed since the run was begun, which was accepted: train: $file is gone"
    runs train vit.yaml --set train.max_steps=8 --set train.eval_every=4 --resume --out gone # it is what it has now
    fails 2 "--accept-changed-data goes with --resume" train vit.yaml --accept-changed-data
}
check "changed data is named, and accepted only when asked" files
grown() { # the same number of words, in another order
    runs eval lm --json
    json ppl <out >before
    awk '{ print } NR % 2 { print $NF, $NF, $NF }' text/train.txt >grown
    equal "$(tr -s ' ' '\n' <text/train.txt | sort -u | wc -l)" "$(tr -s ' ' '\n' <grown | sort -u | wc -l)"
    ! cmp -s grown text/train.txt || wrong "it did not grow"
    mv grown text/train.txt
    runs eval lm --json
    json ppl <out >after
    same before after
    fails_like 3 "lm was begun with other data: train: train.txt has changed; .*" train lm.yaml --set train.max_steps=8 --resume --out lm
    cp lm/vocabulary.txt words
    runs train lm.yaml --set train.max_steps=8 --resume --accept-changed-data --out lm
    same words lm/vocabulary.txt
}
check "a text that has grown does not change the words of its run" grown
older() { # as an older foci left it
    mkdir older
    cp vit/config.yaml vit/metrics.jsonl vit/env.json older
    for k in state last best; do cp vit/$k.safetensors older; done
    mv older/best.safetensors older/last.safetensors hidden
    runs average hidden/last.safetensors --out older/best.safetensors
    cp hidden/last.safetensors older
    runs train vit.yaml --set train.max_steps=8 --set train.eval_every=4 --resume --out older --accept-changed-data
    contains older/log.txt "an older foci began this run and kept no list of its files"
}
check "a run without a list of its files" older
nameless() { # weights of an older foci: the order of the data's folders counts, and that is said
    mkdir nameless
    cp vit/config.yaml nameless
    LC_ALL=C sed '1s/"classes":/"clauses":/; 1s/"xxh3":/"none":/' vit/best.safetensors >nameless/best.safetensors
    runs eval vit --json
    json top1 top5 loss <out >named
    runs eval nameless --json
    contains err 'nameless/best.safetensors carries no names of its classes or words; those of the data count, in their order'
    json top1 top5 loss <out | cmp - named
}
check "weights that carry no names" nameless
elsewhere_computed() {
    sed 's/"isa": "[^"]*"/"isa": "sparc"/' whole/env.json >env.json
    cp env.json whole/env.json
    runs train vit.yaml --set train.max_steps=8 --set train.eval_every=4 --resume --out whole --accept-changed-data
    contains err "the run was begun with isa sparc \(now .*\): bits may differ from there on"
}
check "a resume under other instructions" elsewhere_computed

# ------------------------------------------------------------------------------------------- weights of others
init() {
    rm -rf fewer
    cp -r images fewer
    first=$(ls fewer/train | head -n 1) second=$(ls fewer/train | sed -n 2p)
    rm -r "fewer/train/$first" "fewer/val/$first"
    for split in train val; do mv "fewer/$split/$second" "fewer/$split/zebra"; done
    sed 's/images\//fewer\//g; s/name: .*/name: fewer/' vit.yaml >fewer.yaml
    runs train fewer.yaml $short --init vit --out fewer-run
    contains err 'of 9 outputs 8 are known there by name and keep their weights, the others \(1\) are new'
    runs train lm.yaml $short --init lm --out lm2
    same lm/vocabulary.txt lm2/vocabulary.txt
}
check "--init carries classes by name, and the vocabulary" init
mixed() {
    fails_like 4 "fewer-run/best.safetensors: tensor head.bias is \(9\), .*" average vit/best.safetensors fewer-run/best.safetensors --out mean
    LC_ALL=C sed '1s/"classes":"c/"classes":"k/; 1s/"xxh3":/"none":/' vit/last.safetensors >other.safetensors
    fails 4 "other.safetensors: its classes is not that of vit/best.safetensors" average vit/best.safetensors other.safetensors --out mean
    runs average vit/best.safetensors vit/last.safetensors --out mean
    runs eval vit --checkpoint mean --set data.val=part2
}
cp -r images/val part2
check "an average carries names" mixed

# --------------------------------------------------------------------------------------------- never lose a run
early() { # CODE MESSAGE OPTION...: before the first step, and nothing is left
    code=$1 message=$2
    shift 2
    rm -rf early
    fails_like "$code" "$message" train "$@" --out early
    [ ! -e early ] || wrong "left behind:" "$(ls early)"
}
no_validation() { early 2 '.*data.valid: names no text' lm.yaml --set data.valid=; }
check "no validation text" no_validation
one_token() {
    printf '\n' >empty.txt
    early 3 'empty.txt: one token, from which none can be predicted' lm.yaml --set data.valid=empty.txt
}
check "a validation text of one token" one_token
cut_image() {
    cp -r images cut
    file=$(find cut/val -name '*.jpg' | head -n 1)
    head -c 700 "$file" >short.jpg
    mv short.jpg "$file"
    early 3 "$file: .*" vit.yaml --set data.val=cut/val
}
check "a validation image that is cut short" cut_image
late() { # it is there at the start, and gone when it is wanted
    rm -rf late cut
    cp -r images cut
    "$foci" train vit.yaml --set data.val=cut/val --set train.max_steps=4000 --set train.epochs=2000 --set train.eval_every=2000 --out late >log2 2>&1 &
    pid=$!
    until grep -q '"step": 5,' late/metrics.jsonl 2>/dev/null; do kill -0 $pid; sleep 0.02; done
    rm -r cut/val/*/*
    code=0
    wait $pid || code=$?
    equal 3 $code
    equal failed "$(tr -d '\n' <late/summary.json | json state)"
    rm -r cut
    cp -r images cut
    runs train vit.yaml --set data.val=cut/val --set train.max_steps=2000 --set train.epochs=2000 --set train.eval_every=2000 --resume --out late
    contains err 'resuming after step 2000'
    equal 1 "$(grep -c top1 late/metrics.jsonl)"
}
check "an evaluation that fails leaves a checkpoint" late

# ------------------------------------------------------------------------------------- numbers that mean one thing
batches() {
    for batch in 1 7 16; do
        runs eval lm --set train.eval_batch=$batch --json
        json ppl tokens <out
    done >figures
    equal 1 "$(awk '{ printf "%.4f %d\n", $1, $2 }' figures | sort -u | wc -l | tr -d ' ')"
}
check "perplexity counts every token, whatever the batch" batches
nothing_learnt() { # every loss is none: no loss of 0, and no finished run
    rm -rf broken
    exits 5 train vit.yaml --set train.max_steps=20 --set train.on_nonfinite=skip --set train.optimizer=sgd --set train.lr=1000 --set train.schedule=constant --set train.clip=0 --set train.warmup_steps=0 --out broken
    contains err 'updates were left out'
    lacks broken/metrics.jsonl '"loss": 0[,.}]'
    equal diverged "$(tr -d '\n' <broken/summary.json | json state)"
}
check "a run whose updates are left out" nothing_learnt
not_numbers() {
    cat >spoil.c <<'C'
#include <stdio.h>
#include <string.h>
int main(int c, char **v) { /* the last value becomes NaN, and the checksum is left out */
    static unsigned char b[1 << 24];
    FILE *f = fopen(v[1], "rb");
    size_t n = fread(b, 1, sizeof b, f);
    fclose(f);
    (void)c;
    memset(b + n - 4, 255, 4);
    char *x = strstr((char *)b + 8, "xxh3");
    memcpy(x, "none", 4);
    f = fopen(v[2], "wb");
    fwrite(b, 1, n, f);
    return fclose(f);
}
C
    ${CC:-cc} -o spoil spoil.c
    ./spoil vit/best.safetensors spoilt.safetensors
    fails_like 5 "spoilt.safetensors: .* has values that are no numbers; its training diverged" eval vit --checkpoint spoilt.safetensors
}
check "weights that are no numbers" not_numbers
finish
