#!/bin/sh
# Characters and bytes as tokens: trained, scored in bits, generated, resumed after a kill; and what is refused.
. "$(dirname "$0")/lib.sh"

make_text >/dev/null
for tokens in chars bytes; do
    sed "s/^data: {kind: text,/data: {kind: text, tokens: $tokens,/; s/cutoffs: \[100\], div_val: 2/vocab: 0/; s/^name: .*/name: small-$tokens/" lm.yaml >$tokens.yaml
done
sed 's/^model: .*/model: {kind: lm_span, architecture: rgeg, context: 16, span: 24, d_model: 16, num_heads: 2, d_inner: 16, experts: 4, top_k: 2, dropout: 0.1}/' bytes.yaml >span.yaml

trained() { # TOKENS METRIC COUNT: in logs, files and results
    runs train $1.yaml --out $1 --set train.test_at_end=true
    contains err "^test, sliding windows: bits per $3 [0-9.]+ \([0-9.]+ nats per token\), perplexity [0-9.]+ over [0-9]+ ${4}$"
    contains $1/log.txt "loss [0-9.]+, bits per $3 [0-9.]+, perplexity [0-9.]+ over [0-9]+ ${4}$"
    equal 2 "$(json $2 <$1/metrics.jsonl | grep -vc absent)"
    runs eval $1 --json
    equal "split walk nll loss $2 ppl $4" "$(json <out)"
    json nll $2 ppl <out | awk '{ bits = $1 / log(2); exit !($2 - bits < 1e-6 && bits - $2 < 1e-6 && exp($1) / $3 - 1 < 1e-6) }'
    json $4 <out >counted
    equal "$(wc -c <text/valid.txt | tr -d ' ')" "$(($(cat counted) + 1))"
    runs eval $1 --split test --walk sliding
    contains out "^test, sliding windows: bits per $3 [0-9.]+ \([0-9.]+ nats per token\), perplexity [0-9.]+ over [0-9]+ $4$"
    runs data stats $1.yaml
    contains out "^data.valid  text/valid.txt: [0-9]+ tokens, [0-9]+ lines, 0 <unk>, unigram perplexity [0-9.]+, [0-9.]+ bits a token$"
}
check "characters" trained chars bpc character characters
check "bytes" trained bytes bpb byte bytes
vocabularies() { # carried by the run, in readable names
    equal 256 "$(wc -l <bytes/vocabulary.txt | tr -d ' ')"
    equal '<eos> 32' "$(head -n 2 bytes/vocabulary.txt | paste -sd ' ' -)"
    equal '<eos> <U+0020>' "$(head -n 2 chars/vocabulary.txt | paste -sd ' ' -)"
    runs data check bytes.yaml
    contains out '^vocabulary  256 byte values$'
    mv text/train.txt away
    for run in chars bytes; do runs eval $run --json; done
    mv away text/train.txt
}
check "vocabularies" vocabularies

generates() { # the prompt, then characters without blanks between; the same with nothing kept
    for run in chars bytes; do
        runs generate $run --prompt "the  ca" --tokens 60 --seed 5
        cp out said
        contains said '^the  ca'
        equal 68 "$(wc -c <said | tr -d ' ')" || [ "$(tail -n 1 said | wc -c)" -le 1 ]
        runs generate $run --prompt "the  ca" --tokens 60 --seed 5 --recompute
        same said out
    done
    runs generate bytes --prompt "the" --tokens 5 --json
    json words <out | grep -Eqx '\["([0-9]+|<eos>)"(,"([0-9]+|<eos>)"){4}\]'
    runs generate bytes --prompt "$(printf 'caf\303\251')" --tokens 3
    contains out "^$(printf 'caf\303\251')"
    fails 2 '--prompt: byte 0xff, number 1 of the prompt, is not UTF-8' generate chars --prompt "$(printf 'a\377')"
}
check "generate" generates

# A model with a memory that is killed and one that is not end the same.
killed() {
    runs train span.yaml --out whole --set train.checkpoint_every=5
    "$foci" train span.yaml --out part --set train.checkpoint_every=5 >log.part 2>&1 &
    pid=$!
    until [ -e part/state.safetensors ]; do kill -0 $pid || break; sleep 0.01; done
    kill -KILL $pid || :
    wait $pid || :
    runs train span.yaml --out part --resume --set train.checkpoint_every=5
    same whole/last.safetensors part/last.safetensors
    runs eval whole --json
    cp out one
    runs eval part --json --threads 2
    same one out
    json bpb <out | awk '{ exit !($1 > 1 && $1 < 8) }'
}
check "a run that is killed goes on" killed

packed() {
    runs data pack text text/train.txt train.pack --tokens bytes
    contains out '^train.pack: [0-9]+ tokens, 256 byte values$'
    runs train bytes.yaml --out packed --set data.train=train.pack --set train.max_steps=50
    same_weights bytes/last.safetensors packed/last.safetensors
    fails 3 'train.pack: a pack of bytes, not of characters' train chars.yaml --out no --set data.train=train.pack
    fails 3 'train.pack: a pack of bytes, not of words' train lm.yaml --out no --set data.train=train.pack
    fails 2 '--vocab-limit and --min-count are not for --tokens bytes' data pack text text/train.txt x.pack --tokens bytes --min-count 2
}
check "packs" packed

mismatch() { # a run, a vocabulary and weights know what their words are
    fails_like 2 'chars.yaml:[0-9:]+: data.tokens: chars, but the weights bytes/last.safetensors are of bytes' train chars.yaml --out bytes --resume
    fails_like 2 '.*data.tokens: words, but the weights bytes/best.safetensors are of bytes' train lm.yaml --out no --init bytes
    fails_like 2 '.*data.tokens: bytes, but the weights chars/best.safetensors are of chars' train bytes.yaml --out no --init chars
    fails_like 2 '.*data.tokens: chars, but the weights bytes/best.safetensors are of bytes' eval bytes --set data.tokens=chars
    fails 3 'chars/vocabulary.txt:2: `<U+0020>` is none of the byte values of a text (data.tokens)' \
        train bytes.yaml --out no --set data.labels=chars/vocabulary.txt
    fails_like 2 '.*data.tokens: bytes: only words are swapped' eval bytes --contaminate word-swap
    fails_like 2 '.*data.min_count: is not for data.tokens bytes' train bytes.yaml --out no --set data.min_count=2
    fails_like 2 '.*model.vocab: 205, but the training text has 256 byte values' train bytes.yaml --out no --set model.vocab=205
    [ ! -e no ] || wrong "it made a run folder"
}
check "other tokens than those of the run" mismatch
fine_tuned() { # any text is made of the same bytes
    printf 'caf\303\251 \377\000\r\n%0500d\n' 7 >other.txt
    runs train bytes.yaml --out tuned --init bytes --set data.train=other.txt --set data.valid=text/valid.txt --set train.max_steps=2
    same bytes/vocabulary.txt tuned/vocabulary.txt
    runs eval bytes --split test --set data.test=other.txt --json
    equal 510 "$(json bytes <out)"
}
check "other texts for the same bytes" fine_tuned

bad_texts() {
    printf 'good\nbad \377 text\n' >latin.txt
    fails 3 'latin.txt:2: byte 0xff, number 9 of the text, is not UTF-8; convert the text, as by iconv -f LATIN1 -t UTF-8, or read its bytes (data.tokens)' \
        train chars.yaml --out no --set data.train=latin.txt
    printf 'a\000b\n' >zero.txt
    fails 3 'zero.txt:1: a 0 byte: this is not text' train chars.yaml --out no --set data.train=zero.txt
    : >empty.txt
    for tokens in chars bytes; do
        fails 3 'empty.txt: the file is empty' train $tokens.yaml --out no --set data.train=empty.txt
        fails_like 3 'nope.txt: No such file or directory' train $tokens.yaml --out no --set data.train=nope.txt
        fails_like 2 '.*data.valid: text/train.txt is data.train too: .*' train $tokens.yaml --out no --set data.valid=text/train.txt
    done
    printf 'a~b' >new.txt
    fails 3 'new.txt:1: "~" is not in the vocabulary, which has no <unk>; data.min_count 2 or data.vocab_limit makes one of rare characters' \
        train chars.yaml --out no --set data.min_count=1 --set data.valid=new.txt
    gzip -c text/train.txt | head -c 2000 >cut.gz
    fails_like 3 'cut.gz: damaged gzip after line [0-9]+: .*' train bytes.yaml --out no --set data.train=cut.gz
    [ ! -e no ] || wrong "it made a run folder"
}
check "bad texts" bad_texts
huge() { # 100 MB within seconds
    i=0
    while [ $i -lt 10 ]; do cat text/train.txt; i=$((i + 1)); done >ten
    while [ $i -lt 110 ]; do cat ten; i=$((i + 1)); done >huge.txt
    begun=$(date +%s)
    runs data stats bytes.yaml --set data.train=huge.txt
    contains out "^data.train  huge.txt: $(wc -c <huge.txt | tr -d ' ') tokens, "
    took=$(($(date +%s) - begun))
    [ -n "$sanitized" ] || [ $took -lt 20 ] || wrong "it took $took s"
    rm huge.txt ten
}
check "100 MB of bytes" huge
finish
