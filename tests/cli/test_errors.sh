#!/bin/sh
# What is wrong is said in one message that names the place, with the exit code that says whose fault it is.
. "$(dirname "$0")/lib.sh"

# LINE...: c.yaml with a model, data, and these lines from line 4 on.
config() {
    printf '%s\n' 'name: c' 'model: {kind: vit, img_size: 32, patch_size: 8, embed_dim: 16, depth: 1, num_heads: 2}' \
        'data: {kind: image_folder, train: images/train, val: images/val}' "$@" >c.yaml
}
kinds=$("$foci" list attention | awk '{ printf "%s%s", (NR > 1 ? ", " : ""), $1 }')
wrong_config() { # MESSAGE LINE...
    message=$1
    shift
    config "$@"
    fails 2 "$message" train c.yaml --out run
    [ ! -e run ] || wrong "a run folder was made"
}
check "an unknown key" wrong_config 'c.yaml:5:3: unknown key `train.batchsize`; did you mean `train.batch_size`?
     5 |   batchsize: 3' 'train:' '  batchsize: 3'
check "an unknown section" wrong_config 'c.yaml:4:1: unknown section `trian`; did you mean `train`?
     4 | trian: {epochs: 2}' 'trian: {epochs: 2}'
check "a wrong type" wrong_config 'c.yaml:5:15: train.batch_size: `many` is not a whole number
     5 |   batch_size: many' 'train:' '  batch_size: many'
check "a value out of bounds" wrong_config 'c.yaml:4:21: train.batch_size: `0` is out of bounds: 1 to 1000000
     4 | train: {batch_size: 0}' 'train: {batch_size: 0}'
check "a duplicate key" wrong_config 'c.yaml:7:3: duplicate key `train.epochs`; the first is in line 5
     7 |   epochs: 2' 'train:' '  epochs: 1' '  lr: 1.0e-3' '  epochs: 2'
check "an unknown attention" wrong_config "c.yaml:4:19: attention.kind: \`ellptical\` is not one of $kinds;"' did you mean `elliptical`?
     4 | attention: {kind: ellptical}' 'attention: {kind: ellptical}'
check "an unknown attention before its keys" wrong_config "c.yaml:4:33: attention.kind: \`ellptical\` is not one of $kinds;"' did you mean `elliptical`?
     4 | attention: {sharpness: 3, kind: ellptical}' 'attention: {sharpness: 3, kind: ellptical}'
kind_by_set() {
    config 'attention: {kind: ellptical}'
    fails_like 2 'c.yaml:4:19: attention.kind: .*' train c.yaml --set attention.sharpness=3
    config
    fails_like 2 '--set attention.kind=cosin: attention.kind: .* did you mean `cosine`\?' train c.yaml --set attention.kind=cosin --set attention.sharpness=3
}
check "an unknown attention before keys of --set" kind_by_set
check "no YAML" wrong_config 'c.yaml:5:1: did not find expected node content, while parsing a flow node that starts in line 5
     5 | ' 'attention: {kind: '
check "inheriting what is not there" wrong_config 'c.yaml:4:10: inherit: no.yaml: No such file or directory
     4 | inherit: no.yaml' 'inherit: no.yaml'
check "inheriting itself" wrong_config 'c.yaml:4:10: a circle of inheritance: c.yaml -> c.yaml
     4 | inherit: c.yaml' 'inherit: c.yaml'

config
check "no config" fails 2 'none.yaml: No such file or directory' train none.yaml
check "a run folder without a config" fails_like 2 './config.yaml: No such file or directory' eval . --checkpoint x
check "--set without a value" fails 2 '--set train.epochs: write --set section.key=value' train c.yaml --set train.epochs
check "--set of an unknown key" fails 2 '--set train.epoch=3: unknown key `train.epoch`; did you mean `train.epochs`?' train c.yaml --set train.epoch=3
check "--set of a wrong type" fails 2 '--set train.epochs=x: train.epochs: `x` is not a whole number' train c.yaml --set train.epochs=x
check "--set out of bounds" fails 2 '--set train.epochs=0: train.epochs: `0` is out of bounds: 1 to 1000000' train c.yaml --set train.epochs=0

check "no command" fails 2 'no command'
check "an unknown command" fails 2 'there is no command `trian`; did you mean `train`?' trian
check "a command unlike any" fails 2 'there is no command `frobnicate`; foci --help lists them' frobnicate
check "an unknown option" fails 2 'see foci train --help' train c.yaml --nope
said() { contains err "^foci train: unrecognized option '--nope'\$"; }
check "an unknown option is named" said
check "an option without its value" fails 2 'see foci train --help' train c.yaml --out
check "a missing argument" fails 2 'usage: foci train CONFIG_OR_RUN (see foci train --help)' train
check "an argument too many" fails 2 '`b` is one argument too many (see foci train --help)' train a b
written() { # OPTION... : each way leads to the same message about the value
    for words in '--jobs x' '--jobs=x' '--job x' '--j=x'; do
        fails 2 '--jobs: `x` is not a whole number' table run t.yaml $words
        fails 2 '--jobs: `x` is not a whole number' table run $words t.yaml
    done
    fails 2 '--jobs: `65` is out of bounds: 1 to 64' table run --jobs 65 t.yaml
    fails 2 '--out: `y.pdf` does not end in .svg or .png' plot run --out x.svg --out y.pdf # the last counts
}
check "options before and behind arguments, with = and cut short" written
cut_too_short() {
    exits 2 attack c.yaml --st 3
    contains err "^foci attack: option '--st' is ambiguous"
    exits 2 train c.yaml --resume=3
    contains err "^foci train: option '--resume' doesn't allow an argument"
}
check "options cut too short, values that do not belong" cut_too_short
check "what looks like an option behind --" fails 2 '-x: No such file or directory' config show -- -x
check "threads that are no number" fails 2 '--threads: `x` is not a whole number' train c.yaml --threads x
check "options that exclude each other" fails 2 '--resume and --force exclude each other' train c.yaml --resume --force
check "a list that is not there" fails 2 'there is no list `x`; there are models, attention, ops, data, recipes, measures, attacks, contaminations, corruptions' list x
check "data of an unknown kind" fails 2 'there is no built-in data set `x`, only images, text, listops, pathfinder' data make x y
check "options of another kind of data" fails 2 '--words is not for images' data make images y --words 300
check "a size of text" fails 2 '--size is not for text' data make text y --size 32
check "a walk that is not there" fails 2 '--walk: `up` is not one of disjoint, sliding, strided, documents; did you mean `sliding`?' eval c.yaml --walk up
check "weights that nobody names" fails 2 'c.yaml is no run folder: --checkpoint must name the weights' eval c.yaml
check "a folder without weights" fails 4 '.: no best.safetensors or last.safetensors here; --checkpoint names another file' eval .

check "images" make_images
check "no training images" fails 3 'nope: no such folder, .tar or pack of images' train vit.yaml --out run --set data.train=nope
check "no validation images" fails 3 'nope: no such folder, .tar or pack of images' train vit.yaml --out run --set data.val=nope
check "validation images that nobody names" fails 2 '--set data.val=: data.val: names no images; data.val_split: 0.1 takes a tenth of the training images' train vit.yaml --out run --set data.val=
check "text" make_text
check "no training text" fails 3 'nope.txt: No such file or directory' train lm.yaml --out run --set data.train=nope.txt
check "no validation text" fails 3 'nope.txt: No such file or directory' train lm.yaml --out run --set data.valid=nope.txt
check "text for a vision model" fails_like 2 'lm.yaml:4:8: data.kind: text is tokens, but model.kind vit wants images' \
    train lm.yaml --out run --set model.kind=vit
check "a batch that does not divide" fails 2 '--set train.micro_batch=3: train.micro_batch: 3 does not divide train.batch_size 16' \
    train vit.yaml --out run --set train.micro_batch=3

halve() { # FILE: cuts it in half
    head -c $(($(wc -c <"$1") / 2)) "$1" >half
    cp half "$1"
}
cut_image() { # jpg|png REGEX
    rm -rf cut run
    cp -r images cut
    victim=$(find cut/train -name "*.$1" | sort | head -n 1)
    halve "$victim"
    fails_like 3 "$victim: $2" train vit.yaml --out run --set data.train=cut/train
    exits 3 data check vit.yaml --set data.train=cut/train
    contains out "^$victim: $2\$"
    equal "foci: 1 image cannot be read" "$(cat err)"
}
check "a JPEG cut in half" cut_image jpg 'not a whole JPEG image(: .*)?'
check "a PNG cut in half" cut_image png 'not a whole PNG image(: .*)?'
not_an_image() {
    rm -rf cut run
    cp -r images cut
    victim=$(find cut/train -name '*.jpg' | sort | head -n 1)
    echo 'this is text' >"$victim"
    fails 3 "$victim: neither a JPEG nor a PNG image" train vit.yaml --out run --set data.train=cut/train
}
check "a text called .jpg" not_an_image

# A safetensors file of a header and eight bytes of data.
safetensors() { # FILE HEADER
    { printf "\\$(printf %03o ${#2})\\0\\0\\0\\0\\0\\0\\0%s" "$2"; printf 12345678; } >"$1"
}
rm -rf run
huge_header() {
    printf '\377\377\377\377\0\0\0\0{}' >lie
    fails 4 'lie: a header of 4294967295 bytes in a file of 10: no safetensors file, or cut short' train vit.yaml --out run --init lie
}
check "a header longer than its file" huge_header
beyond_the_end() {
    safetensors lie '{"pos_embed":{"dtype":"F32","shape":[1,17,16],"data_offsets":[0,1088]}}'
    fails 4 'lie: tensor pos_embed: its data end at byte 1088 of 8: the file is cut short or the header lies' train vit.yaml --out run --init lie
}
check "a header that promises more data than there is" beyond_the_end
wrong_size() {
    safetensors lie '{"pos_embed":{"dtype":"F32","shape":[1,17,16],"data_offsets":[0,8]}}'
    fails 4 'lie: tensor pos_embed: F32 (1, 17, 16) takes 1088 bytes, its data_offsets span 8' train vit.yaml --out run --init lie
}
check "a header whose shape and bytes disagree" wrong_size
check "weights that are not there" fails 4 'nope: No such file or directory' train vit.yaml --out run --init nope
nothing_made() { [ ! -e run ]; }
check "refused weights make no run folder" nothing_made

train_little() { runs train vit.yaml --out run --set train.max_steps=2; }
check "a short run" train_little
check "a run is not overwritten" fails 2 'run already holds a run: --resume goes on with it, --force replaces it, --out names another folder' \
    train vit.yaml --out run
cut_state() {
    cp run/state.safetensors whole
    halve run/state.safetensors
    fails_like 4 'run/state.safetensors: .*cut short.*' train vit.yaml --out run --resume
}
check "a state cut in half" cut_state
flipped_state() {
    size=$(wc -c <whole)
    { head -c $((size - 9)) whole; printf 'x'; tail -c 8 whole; } >run/state.safetensors
    fails 4 'run/state.safetensors: the checksum does not match: the file was damaged or changed after it was written' \
        train vit.yaml --out run --resume
}
check "a state with a changed byte" flipped_state
no_state() {
    cp run/last.safetensors run/state.safetensors
    fails 4 'run/state.safetensors: no run state: "format" is missing' train vit.yaml --out run --resume
}
check "weights in place of a state" no_state
another_model() { # a state file from elsewhere
    cp -r run wide
    cp whole wide/state.safetensors
    sed -i 's/embed_dim: 16/embed_dim: 32/' wide/config.yaml
    fails 4 'wide/state.safetensors: tensor value.patch_embed.proj.weight is (16, 3, 8, 8) in the file and (32, 3, 8, 8) in the model' \
        train vit.yaml --out wide --resume --set model.embed_dim=32
}
check "the state of another model" another_model
another_seed() {
    cp whole run/state.safetensors
    fails 2 'run was begun with another config: train.seed (0 there, 7 now); a new run may start from its weights with --init' \
        train vit.yaml --out run --resume --set train.seed=7
}
check "the state of another seed" another_seed

a_file_there() {
    echo >file
    fails 6 'file: not a folder' train vit.yaml --out file
}
check "a run folder that is a file" a_file_there
full_disk() {
    code=0
    "$foci" list ops >/dev/full 2>err || code=$?
    equal "6 foci: standard output: cannot write" "$code $(cat err)"
}
[ -e /dev/full ] && check "a full disk" full_disk
finish
