#!/bin/sh
# Subwords (data.tokens: bpe): trained from texts, packs and token files, scored per token and per byte, generated,
# resumed after a kill; a run knows its tokenizer. And what is refused.
. "$(dirname "$0")/lib.sh"

make_text >/dev/null
"$foci" data bpe train text/train.txt --vocab 600 --out tok >/dev/null
"$foci" data bpe train text/valid.txt --vocab 600 --out same-size >/dev/null
sed 's/^data: {kind: text,/data: {kind: text, tokens: bpe, bpe: tok, documents: lines,/; s/cutoffs: \[100\], div_val: 2/vocab: 0/; s/^name: .*/name: small-bpe/' lm.yaml >bpe.yaml
sed 's/^model: .*/model: {kind: lm_span, architecture: rgeg, context: 16, span: 24, d_model: 16, num_heads: 2, d_inner: 16, experts: 4, top_k: 2, dropout: 0.1}/' bpe.yaml >span.yaml
bytes_of() { wc -c <"$1" | tr -d ' '; }
bits_are_right() { # of JSON: nats over ln 2 and bytes
    json nll bpb ppl tokens bytes <"$1" | awk '{ bits = $1 * $4 / log(2) / $5
        exit !($2 - bits < 1e-6 && bits - $2 < 1e-6 && exp($1) / $3 - 1 < 1e-6) }'
}

trained() {
    runs train bpe.yaml --out run --set train.test_at_end=true
    contains err '^data: [0-9]+ training, [0-9]+ validation, [0-9]+ test tokens, 600 subwords$'
    contains err '^test, sliding windows: bits per byte [0-9.]+ \([0-9.]+ nats per token\), perplexity [0-9.]+ over [0-9]+ tokens, [0-9]+ bytes$'
    contains run/log.txt 'validation loss [0-9.]+, bits per byte [0-9.]+, perplexity [0-9.]+ over [0-9]+ tokens, [0-9]+ bytes$'
    equal 2 "$(json bpb <run/metrics.jsonl | grep -vc absent)"
    runs eval run --json
    equal "split walk nll loss bpb ppl bytes tokens" "$(json <out)"
    equal "$(bytes_of text/valid.txt)" "$(json bytes <out)" # all but the first token, which has none
    bits_are_right out
    runs eval run --split test --walk sliding --json
    equal "$(bytes_of text/test.txt)" "$(json bytes <out)"
    bits_are_right out
    runs eval run --rows 3 --json
    [ "$(json bytes <out)" -le "$(bytes_of text/valid.txt)" ]
    bits_are_right out
}
check "trained and scored" trained
walks() { # windows by strides, documents by themselves
    for same in "disjoint strided" "sliding strided --stride 1"; do
        set -- $same
        runs eval run --walk $1 --json
        cp out one
        shift
        runs eval run --walk "$@" --json
        equal "$(json nll bytes tokens <one)" "$(json nll bytes tokens <out)"
    done
    runs eval run --walk strided --stride 5 --json
    equal "split walk stride nll loss bpb ppl bytes tokens" "$(json <out)"
    runs eval run --walk documents --json
    equal "$(bytes_of text/valid.txt)" "$(json bytes <out)"
    bits_are_right out
    cp out one
    tac text/valid.txt >turned.txt # the figure depends on no neighbour
    runs eval run --walk documents --json --set data.valid=turned.txt
    json nll <one >a
    json nll <out >b
    paste a b | awk '{ exit !($1 - $2 < 1e-6 && $2 - $1 < 1e-6) }'
    fails 2 'a stride of 17 tokens is longer than the window of 16' eval run --walk strided --stride 17
}
check "walks" walks
carried() { # a model with a memory
    runs train span.yaml --out span
    runs eval span --json
    equal "$(bytes_of text/valid.txt)" "$(json bytes <out)"
    bits_are_right out
}
check "a model that carries something on" carried
counted() {
    runs data check bpe.yaml
    contains out '^vocabulary  600 subwords$'
    contains out "^data.train  text/train.txt: [0-9]+ tokens of $(bytes_of text/train.txt) bytes, [0-9.]+ bytes a token, $(wc -l <text/train.txt | tr -d ' ') documents$"
    runs data stats bpe.yaml --set data.documents=file
    contains out '^data.valid .*, 1 document$'
}
check "data check and stats" counted

encoded() { # token files of llm.c and nanoGPT, several, and packs give the same
    for part in train valid test; do
        runs data bpe encode text/$part.txt --bpe tok --documents lines --out $part.bin
        runs data pack text text/$part.txt $part.pack --tokens bpe --bpe tok --documents lines
        contains out "^$part.pack: [0-9]+ tokens, 600 subwords$"
    done
    runs train bpe.yaml --out files --set data.train=train.bin --set data.valid=valid.bin --set data.test=test.bin
    same_weights run/last.safetensors files/last.safetensors
    equal "$(json step nll bpb <files/metrics.jsonl)" "$(json step nll bpb test_nll <run/metrics.jsonl | sed -n 's/ absent$//p')"
    runs eval files --split test --json
    equal "$(bytes_of text/test.txt)" "$(json bytes <out)"
    runs train bpe.yaml --out packed --set data.train=train.pack --set data.valid=valid.pack --set data.bpe=
    same_weights run/last.safetensors packed/last.safetensors
    runs data pack text text/valid.txt again.pack --tokens bpe --vocabulary train.pack --documents lines
    same valid.pack again.pack
    mkdir many
    tail -c +1025 train.bin | head -c 2000 >many/1.bin
    tail -c +3025 train.bin >many/2.bin
    for data in many 'many/*.bin'; do
        runs train bpe.yaml --out bare --force --set "data.train=$data" --set data.bare=true
        same_weights run/last.safetensors bare/last.safetensors
    done
    equal "1.bin 2.bin" "$(sed -n 's/.* train //p' bare/data.txt | paste -sd ' ' -)"
}
check "token files and packs" encoded
beside() { # found from the folder of the config
    mkdir configs
    sed 's|tok,|../tok,|; s|train: text/train.txt|train: ../many/*.bin, bare: true|; s|text/|../text/|g' bpe.yaml >configs/bpe.yaml
    runs train configs/bpe.yaml --out from-there
    same_weights run/last.safetensors from-there/last.safetensors
    fails 3 'nope: No such file or directory' train configs/bpe.yaml --out no --set data.train='nope/*.bin'
    sed -i 's|\.\./many|nope|' configs/bpe.yaml
    fails_like 3 'configs/bpe.yaml:[0-9:]+: data.train: nothing is at nope/\*\.bin, nor at configs/nope/\*\.bin, .*' train configs/bpe.yaml --out no
}
check "paths from the config" beside

generates() { # the prompt, byte by byte, and what comes; the same with nothing kept
    for prompt in 'the cat' "$(printf 'caf\303\251 \n  1')" "$(printf 'no \377 UTF-8')" ''; do
        runs generate run --prompt "$prompt" --tokens 20 --seed 5
        cp out said
        head -c "$(printf '%s' "$prompt" | wc -c)" said >begun
        printf '%s' "$prompt" | cmp - begun
        runs generate run --prompt "$prompt" --tokens 20 --seed 5 --recompute
        same said out
    done
    runs generate run --tokens 8 --seed 5 --json
    equal 8 "$(json words <out | tr ',' '\n' | grep -c .)"
    [ "$(json text <out)" != absent ]
}
check "generate" generates
knows() { # a run has all that it needs
    mkdir hidden
    mv tok text hidden
    runs eval run --set data.valid=hidden/text/valid.txt --json
    equal "$(bytes_of hidden/text/valid.txt)" "$(json bytes <out)"
    runs generate run --prompt 'the cat' --tokens 3
    mv hidden/tok hidden/text .
    equal "600 <|endoftext|>" "$(wc -l <run/vocabulary.txt | tr -d ' ') $(tail -n 1 run/vocabulary.txt)"
}
check "a run carries its tokenizer" knows
decoder() { # of today
    sed 's/^model: .*/model: {kind: gpt, context: 16, d_model: 16, depth: 2, num_heads: 2}/; s/^attention: .*/attention: {kind: softmax}/' bpe.yaml >gpt.yaml
    runs train gpt.yaml --out gpt
    runs eval gpt --json
    equal "$(bytes_of text/valid.txt)" "$(json bytes <out)"
    bits_are_right out
    runs generate gpt --prompt 'the cat' --tokens 5
    contains out '^the cat'
    runs export gpt --out exported
    same tok/tokenizer.json exported/tokenizer.json
    equal 600 "$(sed -n 's/.*"vocab_size": \([0-9]*\).*/\1/p' exported/config.json)"
}
check "model.kind gpt, and its export" decoder
killed() {
    runs train bpe.yaml --out whole --set train.checkpoint_every=5
    "$foci" train bpe.yaml --out part --set train.checkpoint_every=5 >log.part 2>&1 &
    pid=$!
    until [ -e part/state.safetensors ]; do kill -0 $pid || break; sleep 0.01; done
    kill -KILL $pid || :
    wait $pid || :
    runs train bpe.yaml --out part --resume --set train.checkpoint_every=5
    same whole/last.safetensors part/last.safetensors
}
check "a run that is killed goes on" killed
tuned() { # other texts, the same tokenizer
    printf 'caf\303\251 \377\000\r\n%0900d\n' 7 >odd.txt
    runs train bpe.yaml --out tuned --init run --set data.train=odd.txt --set data.valid=text/valid.txt --set train.max_steps=2 --set data.bpe=
    same run/vocabulary.txt tuned/vocabulary.txt
    runs eval run --split test --set data.test=odd.txt --set data.documents=file --json
    equal "$(bytes_of odd.txt)" "$(json bytes <out)"
}
check "fine-tuned" tuned

mismatch() { # another tokenizer, other tokens
    fails_like 2 '.*data.bpe: same-size is another tokenizer \([0-9a-f]{16}\) than that of run/best.safetensors \([0-9a-f]{16}\)' eval run --set data.bpe=same-size
    fails_like 2 '.*data.bpe: same-size is another tokenizer .* than that of run/last.safetensors .*' train bpe.yaml --out run --resume --set data.bpe=same-size
    fails_like 2 '.*data.bpe: same-size is another tokenizer .*' train bpe.yaml --out no --init run --set data.bpe=same-size
    fails_like 2 '.*data.tokens: words, but the weights run/best.safetensors are of bpe' train lm.yaml --out no --init run
    runs train lm.yaml --out words --set train.max_steps=2
    fails_like 2 '.*data.tokens: bpe, but the weights words/best.safetensors are of words' train bpe.yaml --out no --init words
    fails_like 2 '.*data.tokens: bpe: only words are swapped' eval run --contaminate word-swap
    fails_like 2 '.*model.vocab: 205, but the training text has 600 subwords' train bpe.yaml --out no --set model.vocab=205
    fails_like 3 'train.bin: the tokens are of tokenizer [0-9a-f]{16}, not of [0-9a-f]{16}' train bpe.yaml --out no --set data.train=train.bin --set data.bpe=same-size
    fails 3 'train.pack: packed with another vocabulary than that of data.train' train bpe.yaml --out no --set data.train=train.pack --set data.bpe=same-size
    fails 3 'train.pack: a pack of subwords, not of words' train lm.yaml --out no --set data.train=train.pack
    [ ! -e no ] || wrong "it made a run folder"
}
check "other tokens than those of the run" mismatch
refused() {
    fails_like 2 '.*data.bpe: names no tokenizer' train bpe.yaml --out no --set data.bpe=
    fails 3 'nope: No such file or directory' train bpe.yaml --out no --set data.bpe=nope
    fails_like 2 '.*data.bpe: is not for data.tokens words' train lm.yaml --out no --set data.bpe=tok
    fails_like 2 '.*data.documents: is not for data.tokens words' train lm.yaml --out no --set data.documents=lines
    fails_like 2 '.*data.min_count: is not for data.tokens bpe' train bpe.yaml --out no --set data.min_count=2
    fails_like 2 '.*data.valid: text/train.txt is data.train too: .*' train bpe.yaml --out no --set data.valid=text/train.txt
    fails 3 'text: no token file (.bin) there' train bpe.yaml --out no --set data.train=text
    : >empty.txt
    fails 3 'empty.txt: the file is empty' train bpe.yaml --out no --set data.train=empty.txt
    "$foci" data bpe train text/valid.txt --vocab 300 --special '<|a|>' --special '<|b|>' --out two >/dev/null
    fails_like 2 '.*data.documents: the tokenizer has no end-of-text token with which documents could begin: none' train bpe.yaml --out no --set data.bpe=two
    fails 2 '--bpe is for --tokens bpe' data pack text text/valid.txt x.pack --bpe tok
    fails 2 '--tokens bpe needs --bpe DIR, the tokenizer' data pack text text/valid.txt x.pack --tokens bpe
    fails 2 '--vocab-limit and --min-count are not for --tokens bpe' data pack text text/valid.txt x.pack --tokens bpe --bpe tok --min-count 2
    [ ! -e no ] && [ ! -e x.pack ] || wrong "it made a run folder or a pack"
}
check "what is refused" refused
finish
