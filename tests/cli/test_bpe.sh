#!/bin/sh
# foci data bpe: a vocabulary from texts, text to tokens and back, as files and in pipes; and what is refused.
. "$(dirname "$0")/lib.sh"

"$foci" data make text text --train 20000 --val 3000 --test 2000 --words 300 >/dev/null
printf 'caf\303\251 \377\000\r\nThe  end<|endoftext|>\n\n\nlast' >odd.txt

trains() {
    runs data bpe train text/train.txt --vocab 600 --out tok
    [ ! -s err ] || wrong "on standard error:" "$(cat err)"
    contains out "^tok: 600 tokens, learnt from $(wc -c <text/train.txt | tr -d ' ') bytes: [0-9.]+ bytes a token, [0-9.]+ % of [0-9]+ pieces \([0-9]+ different\) are one token$"
    equal "merges.txt tokenizer.json vocab.json" "$(ls tok | tr '\n' ' ' | sed 's/ $//')"
    equal 343 "$(sed 1d tok/merges.txt | wc -l | tr -d ' ')"
    json '<|endoftext|>' '!' <tok/vocab.json >numbers
    equal '599 0' "$(cat numbers)"
}
check "train" trains
same_for_all() { # order, threads, gzip, json
    gzip -c text/train.txt >train.gz
    runs data bpe train text/valid.txt train.gz --vocab 500 --out one --threads 1
    runs data bpe train text/train.txt text/valid.txt --vocab 500 --out two --threads 3 --json
    same one/tokenizer.json two/tokenizer.json
    equal "out vocabulary bytes tokens pieces different_pieces bytes_per_token whole_pieces" "$(json <out)"
    cat text/valid.txt | "$foci" data bpe train - --vocab 300 --out piped >said
    contains said '^piped: 300 tokens, '
}
check "the same for any order of texts and threads" same_for_all
runs_out() {
    printf 'ab ab' >short.txt
    runs data bpe train short.txt --vocab 400 --out few --special '<|a|>' --special '<|b|>'
    contains err '400 tokens: no more pairs were seen 2 times \(--min-frequency\)$'
    contains out '^few: 259 tokens, '
    json '<|a|>' '<|b|>' <few/vocab.json >numbers
    equal '257 258' "$(cat numbers)"
    runs data bpe train short.txt --vocab 257 --out none --special=
    contains out '^none: 257 tokens, '
    fails 2 'the tokenizer has no end-of-text token for documents to begin with' data bpe encode short.txt --bpe none --documents file
}
check "pairs run out" runs_out

comes_back() { # any bytes
    for text in odd.txt text/valid.txt; do
        "$foci" data bpe encode $text --bpe tok >numbers
        "$foci" data bpe decode numbers --bpe tok >again
        same $text again
        "$foci" data bpe encode - --bpe tok <$text | "$foci" data bpe decode - --bpe tok >again
        same $text again
    done
    runs data bpe decode numbers --bpe tok --out again.txt
    same text/valid.txt again.txt
}
check "decode gives back what was encoded" comes_back
on_terminal() { # no half of a character, and a mark for one that never came
    printf 'caf\303\251 \303' | "$foci" data bpe encode - --bpe tok >numbers
    script -qec "$foci data bpe decode numbers --bpe tok" /dev/null </dev/null | tr -d '\r\n' >shown
    printf 'caf\303\251 \357\277\275' | cmp - shown
    "$foci" data bpe decode numbers --bpe tok >bytes
    printf 'caf\303\251 \303' | cmp - bytes
}
if command -v script >/dev/null; then check "decode on a terminal" on_terminal; else echo "skipped: script is not here"; fi
special() {
    printf 'a<|endoftext|>b\n' >special.txt
    equal "64|599 65 198|" "$("$foci" data bpe encode special.txt --bpe tok --special | tr '\n' '|')"
    "$foci" data bpe encode special.txt --bpe tok >numbers
    ! grep -qw 599 numbers || wrong "a text ended a document"
    equal "ab" "$(echo 64 599 65 | "$foci" data bpe decode - --bpe tok --no-special)"
    runs data bpe encode special.txt --bpe tok --special --json
    equal '[64,599,65,198] 4 16' "$(json ids tokens bytes <out)"
}
check "special tokens are plain text unless asked for" special
documents() { # each on a line of its own
    printf 'a\nb\n\nc\n' >lines.txt
    equal "599 64 198|599 65 198|599 198|599 66 198|" "$("$foci" data bpe encode lines.txt --bpe tok --documents lines | tr '\n' '|')"
    "$foci" data bpe encode lines.txt --bpe tok --documents paragraphs >numbers
    equal 2 "$(grep -c '^599 ' numbers)"
    equal 2 "$("$foci" data bpe encode lines.txt odd.txt --bpe tok --documents file | grep -c '^599 ')"
    equal "64 198" "$("$foci" data bpe encode lines.txt --bpe tok | cut -d ' ' -f 1,2)"
}
check "documents" documents

files() {
    runs data bpe encode text/valid.txt odd.txt --bpe tok --out a.bin
    contains out '^a.bin: [0-9]+ tokens of [0-9]+ bytes in 2 documents, [0-9.]+ bytes a token$'
    equal "tokenizer vocabulary end_of_text tokens" "$(json <a.bin.json)"
    equal "20240520 1" "$(od -An -td4 -N8 a.bin | sed 's/^ *//; s/  */ /g')"
    equal "$(json tokens <a.bin.json)" "$((($(wc -c <a.bin) - 1024) / 2))"
    runs data bpe decode a.bin --bpe tok --no-special
    cat text/valid.txt odd.txt | cmp - out
    runs data bpe encode text/valid.txt odd.txt --bpe tok --out b.bin --bare --threads 3 --json
    equal "out files documents tokens bytes bytes_per_token" "$(json <out)"
    tail -c +1025 a.bin | cmp - b.bin
    runs data bpe decode b.bin --bpe tok --bare --no-special
    cat text/valid.txt odd.txt | cmp - out
    mkdir shards
    cp a.bin shards/2.bin
    runs data bpe encode text/test.txt --bpe tok --out shards/1.bin
    runs data bpe decode shards --bpe tok --no-special
    cat text/test.txt text/valid.txt odd.txt | cmp - out
}
check "token files" files
sharded() { # the same stream in several files
    runs data bpe encode text/valid.txt odd.txt --bpe tok --out part.bin --shard 1000
    contains out '^part.bin: [0-9]+ tokens in [0-9]+ files of [0-9]+ bytes in 2 documents, '
    runs data bpe decode 'part_*.bin' --bpe tok --no-special
    cat text/valid.txt odd.txt | cmp - out
    equal "$(ls part_*.bin | wc -l | tr -d ' ')" "$(ls part_*.bin.json | wc -l | tr -d ' ')"
    equal 3024 "$(wc -c <part_000000.bin | tr -d ' ')"
    equal "$(json tokens <a.bin.json)" "$(cat part_*.json | sed 's/}/}\n/g' | json tokens | awk '{ n += $1 } END { print n }')"
    fails 6 'part_000000.bin: is there already' data bpe encode odd.txt --bpe tok --out part.bin --shard 1000
}
check "several token files" sharded
golden() { # OpenAI's vocabulary
    equal "15496 11 995 0" "$(printf 'Hello, world!' | "$foci" data bpe encode - --bpe "$shared")"
    equal "Hello, world!" "$(echo 15496 11 995 0 | "$foci" data bpe decode - --bpe "$shared")"
    runs data bpe decode "$shared/tokens-gpt2.bin" --bpe "$shared"
    contains out '^First document.$'
}
shared=${FOCI_SHARED:-$root/../shared}/golden/bpe
if [ -e "$shared/encoder.json" ]; then check "GPT-2's own tokens" golden; else echo "skipped: $shared is not here"; fi

usage() {
    fails 2 'data bpe train: --vocab N is needed' data bpe train odd.txt --out x
    fails 2 'data bpe train: --out DIR is needed' data bpe train odd.txt --vocab 300
    fails_like 2 'usage: foci data bpe train TEXT\.\.\. .*' data bpe train --vocab 300 --out x
    fails 2 '256 tokens: at least 257, the bytes and the special ones' data bpe train odd.txt --vocab 256 --out x
    fails_like 2 '--vocab: `255` is out of bounds: .*' data bpe train odd.txt --vocab 255 --out x
    fails 2 'data bpe encode: --bpe DIR is needed' data bpe encode odd.txt
    fails 2 'data bpe decode: --bpe DIR is needed' data bpe decode odd.txt
    fails 2 '--bare and --shard are for --out' data bpe encode odd.txt --bpe tok --bare
    fails_like 2 'there is no command `trane`; did you mean `train`\?' data bpe trane
    [ ! -e x ]
}
check "usage" usage
bad_files() {
    fails 3 'nope.txt: No such file or directory' data bpe train nope.txt --vocab 300 --out x
    : >empty.txt
    exits 3 data bpe train empty.txt --vocab 300 --out x
    contains err '^foci: empty.txt: the text is empty$'
    fails 3 '/dev/zero: not a regular file' data bpe train /dev/zero --vocab 300 --out x
    fails 3 'nope: No such file or directory' data bpe encode odd.txt --bpe nope
    fails 3 'text: no tokenizer.json, vocab.json or encoder.json in it' data bpe encode odd.txt --bpe text
    fails_like 3 'odd.txt: line 1, column [0-9]+: .*' data bpe encode odd.txt --bpe odd.txt
    sed 's/"normalizer": null/"normalizer": {"type": "NFC"}/' tok/tokenizer.json >nfc.json
    fails 3 'nfc.json: normalizer: not null; tokenizers that ask for more than byte-level BPE are not read' \
        data bpe encode odd.txt --bpe nfc.json
    printf '1 2\n3 x4\n' >numbers
    exits 3 data bpe decode numbers --bpe tok
    contains err '^foci: numbers:2: `x4` is no number of a token: 0 to 599$'
    printf '1 600' >numbers
    exits 3 data bpe decode numbers --bpe tok
    contains err '^foci: numbers:1: `600` is no number of a token: 0 to 599$'
    fails_like 3 'a.bin: the tokens are of tokenizer [0-9a-f]{16}, not of [0-9a-f]{16}' data bpe decode a.bin --bpe one
    head -c 2000 a.bin >cut.bin
    fails_like 3 'cut.bin: 2000 bytes, but byte 8 says [0-9]+ tokens, which take [0-9]+' data bpe decode cut.bin --bpe tok
    gzip -c text/train.txt | head -c 2000 >cut.gz
    exits 3 data bpe encode cut.gz --bpe tok --out x.bin
    contains err '^foci: cut.gz: damaged gzip after byte [0-9]+: '
    [ ! -e x.bin ] && [ ! -e x.bin.tmp ] && [ ! -e x ]
}
check "bad files" bad_files
kept() { # nothing that is there is written over
    fails 6 'tok/tokenizer.json: is there already' data bpe train odd.txt --vocab 300 --out tok
    fails 6 'a.bin: is there already' data bpe encode odd.txt --bpe tok --out a.bin
    fails 6 'odd.txt: is there already' data bpe decode a.bin --bpe tok --out odd.txt
    fails_like 6 'no/x.bin.tmp: No such file or directory' data bpe encode odd.txt --bpe tok --out no/x.bin
    if [ -e /dev/full ]; then
        code=0
        "$foci" data bpe encode text/train.txt --bpe tok >/dev/full 2>err || code=$?
        equal 6 $code
    fi
}
check "what is there is kept" kept
large() { # 100 MB, of which little is held at once
    cat text/train.txt text/train.txt text/train.txt text/train.txt text/train.txt text/train.txt text/train.txt >seven
    i=0
    while [ $i -lt 120 ]; do cat seven; i=$((i + 1)); done >large.txt
    (
        [ -n "$sanitized" ] || ulimit -v 600000
        runs data bpe encode large.txt --bpe tok --out large.bin --threads 1
    )
    contains out "^large.bin: [0-9]+ tokens of $(wc -c <large.txt | tr -d ' ') bytes in 1 document, "
    rm large.txt large.bin seven
}
check "100 MB" large
finish
