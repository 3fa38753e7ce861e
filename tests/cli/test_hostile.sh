#!/bin/sh
# Files made to do harm, as a user meets them: each is refused with one clear message and the right exit code, within a
# gigabyte of address space and 30 seconds of the processor.
. "$(dirname "$0")/lib.sh"
corpus=$root/tests/fuzz/corpus
check "images" make_images
check "text" make_text
class=$(ls images/train | head -n 1)

bounded() { # COMMAND...: sanitizers reserve terabytes
    ulimit -t 30
    [ "$sanitized" ] || ulimit -v 1048576
    "$@"
}
zeros() { head -c "$1" /dev/zero; }
repeat() { yes "$2" | head -n "$1"; } # COUNT LINE
printable() { ! LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177]')" out err || wrong "control characters were printed"; }

# ---------------------------------------------------------------------------------------------------- images

bad_image() { # FILE NAME REGEX: a file of the corpus among the training images
    rm -rf bad run
    mkdir -p bad
    cp -r images/train bad/train
    cp "$1" "bad/train/$class/$2"
    bounded exits 3 data check vit.yaml --threads 1 --set data.train=bad/train
    contains out "^bad/train/$class/$2: $3\$"
    equal "foci: 1 image cannot be read" "$(cat err)"
    bounded exits 3 train vit.yaml --threads 1 --set data.train=bad/train --out run
    contains err "^foci: .*bad/train/$class/$2: $3\$"
}
check "a PNG of 65,535 x 65,535 pixels" bad_image "$corpus/png/huge_header" x.png '65535 x 65535 pixels, more than foci reads .*'
check "a PNG of 16,384 x 16,384 pixels in some bytes" bad_image "$corpus/png/wide_header" x.png '16384 x 16384 pixels in [0-9]+ bytes: not a whole PNG image'
check "a PNG of one pixel that expands to megabytes" bad_image "$corpus/png/stream_bomb" x.png 'not a whole PNG image: .*'
check "a PNG whose size stands elsewhere" bad_image "$corpus/png/cgbi" x.png 'not a whole PNG image'
check "a JPEG of 65,535 x 65,535 pixels" bad_image "$corpus/jpeg/huge_header" x.jpg '(65535 x 65535 pixels, more than foci reads .*|not a whole JPEG image: .*)'
check "a JPEG of 8,192 x 8,192 pixels in some bytes" bad_image "$corpus/jpeg/bomb_header" x.jpg '[0-9]+ x [0-9]+ pixels in [0-9]+ bytes: not a whole JPEG image'
many_scans() {
    { head -c $(($(wc -c <"$corpus/jpeg/grey") - 2)) "$corpus/jpeg/grey"; repeat 200 "$(printf '\377\332\377\331')" | tr -d '\n'; } >scans
    bad_image scans x.jpg 'more than 100 scans'
}
check "a JPEG of 200 scans" many_scans

named() { # NAME REGEX: an image with this name
    rm -rf bad
    mkdir -p bad
    cp -r images/train bad/train
    cp "$corpus/png/rgb" "bad/train/$class/$1"
    bounded fails_like 3 "$2" data check vit.yaml --set data.train=bad/train
    printable
}
check "an image whose name holds control characters" named "$(printf 'a\033]0;x\007.png')" "bad/train: the name $class/a\.\.\. holds a control character"
check "an image whose name holds a newline" named "$(printf 'a\nb.png')" "bad/train: the name $class/a\.\.\. holds a control character"

# -------------------------------------------------------------------------------------------------- archives

archive() { # FILE REGEX
    cp "$1" bad.tar
    bounded fails_like 3 "$2" data check vit.yaml --set data.train=bad.tar
    printable
}
check "a path in an archive that leads out of it" archive "$corpus/tar/climbing" 'bad\.tar: the name k/\.\./\.\./a\.png leads out of it'
check "a name in an archive with control characters" archive "$corpus/tar/control" 'bad\.tar: the name k/\.\.\. holds a control character'
check "an entry of negative size" archive "$corpus/tar/negative_size" 'bad\.tar: byte 0: (not a tar header|a size that is no number).*'
check "an archive cut inside an entry" archive "$corpus/tar/cut" 'bad\.tar: byte [0-9]+: the archive ends .*'
of_size() { # FIELD REGEX: an entry with this size, and its header's sum made right
    dd if="$corpus/tar/two" of=bad.tar bs=512 count=1 2>/dev/null
    { head -c 124 bad.tar; printf '%s\0' "$1"; tail -c +137 bad.tar | head -c 12; printf '        '; tail -c +157 bad.tar; } >header
    sum=$(od -An -v -tu1 header | awk '{ for (i = 1; i <= NF; i++) s += $i } END { printf "%06o", s }')
    { head -c 148 header; printf '%s\0 ' "$sum"; tail -c +157 header; zeros 2048; } >sized
    archive sized "$2"
}
check "an entry of 8 GB that is not there" of_size 77777777777 'bad\.tar: byte 0: the archive ends inside this entry'
check "a size that is no number" of_size 0000000000x 'bad\.tar: byte 0: a size that is no number'
links_lead_nowhere() { # what they point at is never opened
    cp "$corpus/tar/links" bad.tar
    bounded fails_like 3 'bad\.tar: k/l\.png is a link to /etc/passwd, which is no file of the archive; .*' data check vit.yaml --set data.train=bad.tar
    cp "$corpus/tar/root" bad.tar
    bounded runs data stats vit.yaml --set data.train=bad.tar
}
check "links and paths from the root stay inside" links_lead_nowhere

# ----------------------------------------------------------------------------------------------------- packs

pack() { # FILE REGEX: corpus packs have no checksums; the header's comes first
    cp "$1" bad.pack
    bounded fails_like 3 "$2" data check vit.yaml --set data.train=bad.pack
}
check "a pack without checksums" pack "$corpus/image_pack/climbing" 'bad\.pack: byte 0: the header is damaged .*'
no_pack() {
    { printf focipack; zeros 40; } >name
    pack name 'bad\.pack: 48 bytes, too few for a pack'
}
check "a pack that is all name" no_pack

# ------------------------------------------------------------------------------------------------------ text

bad_text() { # REGEX: text.gz as training text
    bounded fails_like 3 "$1" train lm.yaml --threads 1 --set data.train=text.gz --out run
}
bomb() {
    repeat 40000000 a | gzip -9 >text.gz
    bad_text 'text\.gz: by line [0-9]+ the gzip became more than 100 times as large: this is not text'
}
check "a gzip that expands without end" bomb
blank_bomb() {
    zeros 100000000 | tr '\0' ' ' | gzip -9 >text.gz
    bad_text 'text\.gz: by line 1 the gzip became more than 100 times as large: this is not text'
}
check "a gzip of blanks without end" blank_bomb
zero_bomb() {
    zeros 100000000 | gzip -9 >text.gz
    bad_text 'text\.gz:1: a 0 byte: this is not text'
}
check "a gzip of zeros without end" zero_bomb
long_word() {
    zeros 100000000 | tr '\0' x | gzip -9 >text.gz
    bad_text 'text\.gz:1: a word of more than 1024 bytes'
}
check "a word without end" long_word
cut_text() {
    gzip -c text/train.txt | head -c 2000 >text.gz
    bad_text 'text\.gz: damaged gzip after line [0-9]+: .*'
}
check "a gzip cut short" cut_text
endless() { bounded fails_like 3 '/dev/zero: not a regular file' train lm.yaml --set data.train=/dev/zero --out run; }
check "a device in place of a text" endless

# -------------------------------------------------------------------------------------------------- subwords

"$foci" data bpe train text/train.txt --vocab 300 --out tok >/dev/null
sed 's/^data: {kind: text,/data: {kind: text, tokens: bpe, bpe: tok,/; s/cutoffs: \[100\], div_val: 2/vocab: 0/' lm.yaml >bpe.yaml
bad_subwords() { # REGEX: text.gz for a vocabulary, and for its tokens
    bounded fails_like 3 "$1" data bpe train text.gz --vocab 300 --threads 1 --out learnt
    bounded fails_like 3 "$1" train bpe.yaml --threads 1 --set data.train=text.gz --out run
    bounded exits 3 data bpe encode text.gz --bpe tok --threads 1
    [ ! -e learnt ]
}
subword_bomb() {
    repeat 40000000 a | gzip -9 >text.gz
    bad_subwords 'text\.gz: by byte [0-9]+ the gzip became more than 100 times as large: this is not text'
}
check "subwords: a gzip that expands without end" subword_bomb
one_piece() {
    zeros 60000000 >text.gz # plain, whatever its name
    bad_subwords 'text\.gz: more than 16777216 bytes of one kind, which may not be cut: this is not text'
}
check "subwords: zeros without end" one_piece
cut_subwords() {
    gzip -c text/train.txt | head -c 2000 >text.gz
    bad_subwords 'text\.gz: damaged gzip after byte [0-9]+: .*'
}
check "subwords: a gzip cut short" cut_subwords
tokenizer() { # REGEX FILE: as a tokenizer
    bounded fails_like 3 "$1" train bpe.yaml --set data.bpe="$2" --out run
    bounded fails_like 3 "$1" data bpe encode text/train.txt --bpe "$2"
    printable
}
check "a device in place of a tokenizer" tokenizer '/dev/zero: not a regular file' /dev/zero
nested() {
    { printf '{"model": ' && zeros 1000000 | tr '\0' '['; } >deep.json
    tokenizer 'deep.json: line 1, column [0-9]+: .*' deep.json
    { printf '{"model": {"type": "BPE", "merges": [], "vocab": {"\\u001b[31m": 0}}, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false}}'; } >escape.json
    tokenizer 'escape.json: model.vocab: .*' escape.json
    printf '{"model": {"type": "BPE", "merges": [], "vocab": {"a": 99999999999}}, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false}}' >number.json
    tokenizer 'number.json: model.vocab: number 99999999999 of 1 tokens, .*' number.json
}
check "tokenizers that are none" nested
token_file() { # REGEX: bad.bin as training data
    bounded fails_like 3 "$1" train bpe.yaml --set data.train=bad.bin --out run
    bounded fails_like 3 "$1" data bpe decode bad.bin --bpe tok
}
token_files() {
    le() { for n; do printf "\\$(printf %03o $((n & 255)))\\$(printf %03o $((n >> 8 & 255)))\\$(printf %03o $((n >> 16 & 255)))\\$(printf %03o $((n >> 24 & 255)))"; done; }
    { le 20240520 1 2147483647 && zeros 2000; } >bad.bin
    token_file 'bad.bin: 2012 bytes, but byte 8 says 2147483647 tokens, which take 4294968318'
    { le 20240520 1 2 && zeros 1012 && le 299; } >bad.bin
    bounded runs data bpe decode bad.bin --bpe tok
    { le 20240520 1 2 && zeros 1012 && le 300; } >bad.bin
    token_file 'bad.bin: token 0 is number 300, of a vocabulary of 300'
    { le 20240801 7 1 && zeros 1012 && le 4294967295; } >bad.bin
    token_file 'bad.bin: token 0 is number 4294967295, of a vocabulary of 300'
}
check "token files of more than there is" token_files

# ---------------------------------------------------------------------------------------------------- weights

weights() { # REGEX: the file lie as weights to begin with
    rm -rf run
    bounded fails_like 4 "lie: $1" train vit.yaml --threads 1 --out run --init lie
    printable
}
header() { # BYTES in octal escapes, little-endian, 8 of them; the header on standard input
    { printf "$1"; cat; } >lie
}
long_header() {
    zeros 104857600 | tr '\0' ' ' | header '\000\000\100\006\000\000\000\000'
    weights 'a header of 104857600 bytes, at most 16777216'
}
check "a header of 100 MB" long_header
deep_header() {
    zeros 65536 | tr '\0' '[' | header '\000\000\001\000\000\000\000\000'
    weights 'header: maximum parsing depth reached .*'
}
check "a header of 65,536 brackets" deep_header
wide_header() { # the worst for the parser: 4 MB of empty objects
    { printf '{"a":['; repeat 1398000 '{},' | tr -d '\n'; printf '{}]}  '; } | header '\334\376\077\000\000\000\000\000'
    weights '(header: |tensor a: ).*'
}
check "a header of a million objects" wide_header
named_tensor() {
    printf '{"\\u001b[31m":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}1234' | header '\076\000\000\000\000\000\000\000'
    weights 'the name of tensor 0 holds a control character'
}
check "a tensor whose name holds control characters" named_tensor

# ----------------------------------------------------------------------------------------------- configs and tables

config() { # REGEX: c.yaml
    bounded fails_like 2 "$1" config show c.yaml
}
aliases() {
    { echo 'a: &a [x, x, x, x, x, x, x, x, x]'; for i in b c d e f g h i; do echo "$i: &$i [*a, *a, *a, *a, *a]"; done; } >c.yaml
    config 'c\.yaml:1:4: an anchor; configs have none'
}
check "a config of aliases" aliases
deep_config() {
    { printf 'model: '; zeros 200000 | tr '\0' '['; } >c.yaml
    config 'c\.yaml:1:9: the elements of a list are single values'
    { printf 'model: '; zeros 200000 | tr '\0' '{'; } >c.yaml
    config 'c\.yaml:1:9: .*'
}
check "a config that nests 200,000 deep" deep_config
large_config() {
    zeros 100000000 >c.yaml
    config 'c\.yaml: 100000000 bytes, more than the limit of 262144'
}
check "a config of 100 MB" large_config
control_config() {
    printf 'name: "\\e[31m"\ntrain.\033[31mx: 1\n' >c.yaml
    config 'c\.yaml:2:[0-9]+: .*'
    printable
    printf 'train: {"\\e[31mx": 1}\n' >c.yaml
    config 'c\.yaml:1:9: unknown key `train\.\?\[31mx`.*'
    printable
}
check "a config with control characters" control_config
tags() { # each is compared with all before
    repeat 14000 x | awk '{ print "%TAG !" NR "! b" }' >c.yaml
    bounded exits 2 config show c.yaml
}
check "a config of 14,000 directives" tags
sets() {
    long=$(zeros 100000 | tr '\0' '[')
    bounded fails_like 2 '--set .*' config show vit.yaml --set "train.betas=$long"
}
check "--set that nests 100,000 deep" sets

table() { bounded fails_like 2 "$1" table run t.yaml --out t; } # REGEX: t.yaml
long_list() {
    { echo "title: &a $(zeros 4000 | tr '\0' x)"; printf 'set: {a.b: ['; repeat 60000 '*a,' | tr -d '\n'; echo ']}'; } >t.yaml
    table 't\.yaml:1:8: an anchor; tables have none'
    { printf 'set: {a.b: ['; repeat 60000 'xx,' | tr -d '\n'; echo ']}'; } >t.yaml
    table 't\.yaml:1:12: a\.b is too long'
}
check "a table of aliases, of an endless list" long_list
deep_table() {
    { printf 'set: '; zeros 200000 | tr '\0' '['; } >t.yaml
    table 't\.yaml:1:13: it nests too deep for a table'
}
check "a table that nests 200,000 deep" deep_table

# ------------------------------------------------------------------------------------------------------- JSON

deep_case() {
    zeros 1000000 | tr '\0' '[' >case.json
    bounded fails_like 3 'case\.json:1:[0-9]+: maximum parsing depth reached.*' verify case.json
}
check "a case that nests a million deep" deep_case
large_case() {
    zeros 5000000 | tr '\0' ' ' >case.json
    bounded fails_like 3 'case\.json: 5000000 bytes, more than the limit of 4194304' verify case.json
}
check "a case of 5 MB" large_case
long_line() {
    mkdir -p plotted
    { printf '{"step": 1, "epoch": 1, "loss": ['; repeat 1000000 '[],' | tr -d '\n'; echo ']}'; } >plotted/metrics.jsonl
    bounded fails_like 3 'plotted/metrics\.jsonl:1: a line of [0-9]+ bytes' plot plotted --out x.svg
}
check "metrics of one endless line" long_line

# ---------------------------------------------------------------------------------------------------- sequences

check "lists" make_lists
sequences() { # FILE REGEX KIND: what a file of the corpus holds behind its first byte
    tail -c +2 "$1" >bad.tsv
    bounded fails_like 3 "$2" data check encoder.yaml --set data.kind=$3 --set data.train=bad.tsv --set data.val= --set data.test= \
        --set model.vocab=300 --set model.pair=$4
    printable
}
check "1,100 lists within each other" sequences "$corpus/sequences/listops_deep" 'bad\.tsv:1: token 1001: more than 1000 lists .*' listops false
check "a bracket that closes nothing" sequences "$corpus/sequences/listops_closes_nothing" 'bad\.tsv:1: token 4: \] closes nothing' listops false
check "a gzip that expands without end" sequences "$corpus/sequences/text_gzip_bomb" 'bad\.tsv: by byte [0-9]+ the gzip became more than 100 times as large.*' byte_text false
check "a gzip of lines, cut short" sequences "$corpus/sequences/text_gzip_cut" 'bad\.tsv: damaged gzip.*' byte_text false
check "a list of nothing" sequences "$corpus/sequences/listops_of_nothing" 'bad\.tsv:1: .*' listops false
check "an empty text" sequences "$corpus/sequences/text_empty" 'bad\.tsv:.*' byte_text false
check "a text without a label" sequences "$corpus/sequences/text_no_label" 'bad\.tsv:1: .*' byte_text false
check "a pair with one side" sequences "$corpus/sequences/pairs_one_side" 'bad\.tsv:1: 2 columns, not .*' byte_pairs true
sentences() { # FILE REGEX
    bounded fails_like 3 "$2" data check encoder.yaml --set data.kind=sentences --set model.kind=lm_span_classifier \
        --set data.train="$corpus/sentences/$1" --set data.val= --set data.test=
    printable
}
check "a sentence of nothing" sentences empty_sentence '.*/empty_sentence:2: the sequence is empty'
check "a sentence without a tab" sentences no_tab '.*/no_tab:1: 1 column, not SENTENCE<TAB>LABEL'
check "a word without an end" sentences long_word '.*/long_word:1: a word of more than 1024 bytes'
check "a sentence that is no UTF-8" sentences no_utf8 '.*/no_utf8:1: byte 0xff is not UTF-8'
check "a sentence with a 0 byte" sentences zero '.*/zero:1: a 0 byte: this is not text'
check "no sentences at all" sentences empty '.*/empty: .*'
climbing_path() {
    mkdir -p maze/metadata
    tail -c +2 "$corpus/sequences/pathfinder_climbing" >maze/metadata/0.npy
    sed 's/^data: .*/data: {kind: pathfinder, root: maze}/' encoder.yaml >maze.yaml
    bounded fails_like 3 'maze/metadata/0\.npy:1: imgs/0/\.\./\.\./x leads out of the set' data check maze.yaml
}
check "a path of Pathfinder that leads out of it" climbing_path

# ------------------------------------------------------------------------------------------------------ prompts

train_words() { runs train lm.yaml --out words --set train.max_steps=2; }
check "a language model" train_words
long_prompt() {
    words=$(repeat 15000 noword | tr '\n' ' ')
    bounded exits 2 generate words --prompt "$words" --tokens 1 || bounded exits 0 generate words --prompt "$words" --tokens 1
    code=0
    "$foci" generate words --prompt "$(printf '\377\376\033[31m')" --tokens 1 --json >out 2>err || code=$?
    [ $code -eq 2 ] || [ $code -eq 0 ] || wrong "exit code $code" "$(cat err)"
    printable
}
check "a prompt of 15,000 words, one of no UTF-8" long_prompt
finish
