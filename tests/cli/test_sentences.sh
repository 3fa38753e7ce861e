#!/bin/sh
# Sentences as a user meets them: a language model with experts becomes a classifier of sentences that keeps what it knows of
# their words; counted, shown, trained, stopped and resumed, scored, asked for labels of lines; and what is refused.
. "$(dirname "$0")/lib.sh"

# A text of good and bad things, and sentences about them.
awk 'BEGIN { for (i = 0; i < 900; i++) printf "the film %d is %s and <unk> has a plot\n", i % 7, i % 2 ? "good" : "bad" }' >few.txt
sentences() { # FILE COUNT FIRST
    awk -v n="$2" -v first="$3" 'BEGIN { for (i = first; i < first + n; i++) {
        printf "The FILM %d ", i % 7; for (k = 0; k < i % 5; k++) printf "really "
        printf "is %s\t%d\n", i * 7 % 3 % 2 ? "Good" : "bad", i * 7 % 3 % 2 } }' >"$1"
}
sentences train.tsv 60 0
sentences val.tsv 23 100
{ echo 'sentence	label' && sentences more.tsv 20 200 && cat more.tsv && printf 'an unheard-of film is good\t1'; } >test.tsv
cat >span.yaml <<'END'
name: span
model: {kind: lm_span, architecture: rgeg, context: 8, span: 12, d_model: 16, num_heads: 2, d_inner: 16, experts: 4}
attention: {kind: elliptical, scope: causal}
data: {kind: text, train: few.txt, valid: few.txt, min_count: 1}
train: {batch_size: 4, epochs: 1, max_steps: 20, optimizer: adam, lr: 2.0e-3}
END
sed 's/valid: few.txt/valid: some.txt/' span.yaml >lm.yaml && head -n 40 few.txt >some.txt
cat >class.yaml <<'END'
name: class
model: {kind: lm_span_classifier, architecture: rgeg, length: 12, span: 12, d_model: 16, num_heads: 2, d_inner: 16, experts: 4, dropout: 0.1}
attention: {kind: elliptical, scope: causal}
data: {kind: sentences, train: train.tsv, val: val.tsv, test: test.tsv}
train: {batch_size: 8, micro_batch: 4, epochs: 4, optimizer: adam, lr: 5.0e-3, schedule: constant, balance: 0, test_at_end: true, log_every: 1}
END

looked_at() {
    runs data check class.yaml
    contains out '^test: 21 sequences in 2 classes read$'
    runs data stats class.yaml
    contains out '^train  train.tsv: 60 sequences, 2 classes$'
    contains out '^       7 to 11 tokens, 9.0 in the mean, of 16$'
    contains out '^       2 words that the vocabulary does not have, passed over$'
    runs data stats class.yaml --set data.cut=7
    contains out '^       48 of 60 sequences longer than 7 tokens, cut there$'
    runs data show class.yaml --count 2
    contains out '^[01] \(train.tsv:[0-9]+\), [0-9]+ tokens: <CLS> the film [0-6] .*is (good|bad) <S> $'
}
check "data check, stats and show" looked_at

tuned() {
    runs train lm.yaml --out lm
    runs train class.yaml --init lm --out run
    contains err '^[0-9]+ of [0-9]+ parameters from .*lm/best.safetensors; new, of another shape: in_emb.weight is \(18, 16\) in the file and \(16, 16\) in the model, out_emb.bias .*; new, not in the file: project_head.0.weight, project_head.0.bias, project_head.3.weight, project_head.3.bias; of 16 words 13 are known there by name and keep their weights, the others \(3\) are new$'
    contains err '^test: 2 words that the vocabulary does not have, passed over$'
    contains err '^test, accuracy: top-1 [0-9.]+ %, loss [0-9.]+ over 21 sequences$'
    equal "<eos> really <CLS> the" "$(head -n 4 run/vocabulary.txt | paste -sd ' ')"
    equal "0 1" "$(paste -sd ' ' run/classes.txt)"
    runs train class.yaml --init lm --out fresh --set train.fresh='in_emb key_pe' --set train.max_steps=1
    contains err '; new, as asked for: .*in_emb.weight'
    contains err '; new, as asked for: .*key_pe'
    lacks err 'known there by name'
    runs train class.yaml --init run --out further --set train.max_steps=1
    contains err '^[0-9]+ of [0-9]+ parameters from .*run/best.safetensors$'
    fails_like 2 '.*train.fresh: no parameter is called emb, or begins so' train class.yaml --init lm --out x --set train.fresh='in_emb emb'
}
carried() { # all words of the language model, then those of the sentences; its <unk> too
    runs train class.yaml --init lm --out whole --set data.vocabulary=lm/best.safetensors --set train.max_steps=8
    n=$(wc -l <lm/vocabulary.txt)
    head -n "$n" whole/vocabulary.txt >words
    same words lm/vocabulary.txt
    tail -n +$((n + 1)) whole/vocabulary.txt | grep -qx '<CLS>'
    contains err '^test: 2 words that the vocabulary does not have, read as <unk>$'
    contains err "of $((n + 3)) words $n are known there by name"
    runs eval whole --json --set data.vocabulary=/nowhere --set data.train=/nowhere
    fails_like 3 '/nowhere: No such file or directory' train class.yaml --out x --set data.vocabulary=/nowhere
    printf 'the\n' >words
    fails_like 3 'words:1: the first word of a vocabulary is <eos>' train class.yaml --out x --set data.vocabulary=words
    runs train lm.yaml --out letters --set data.tokens=chars --set train.max_steps=1
    fails_like 2 '.*data.vocabulary: letters/best.safetensors is of chars, not of words' train class.yaml --out x \
        --set data.vocabulary=letters/best.safetensors
    fails_like 3 '.*run/state.safetensors: .*no "vocabulary"' train class.yaml --out x --set data.vocabulary=run/state.safetensors
}
check "a language model, fine-tuned" tuned
check "its vocabulary carried over whole" carried

scored() {
    runs eval run --json
    equal 23 "$(json sequences <out)"
    runs eval run --split test --json --predictions rows.csv
    equal "$(json top1 <out)" "$(grep -o '"test_top1": *[0-9.]*' run/metrics.jsonl | sed 's/.*: *//' | tail -n 1)"
    contains rows.csv '^"[^"]*test.tsv:2",'
    rm -rf moved && mkdir moved && cp -r run moved && sed '1d' test.tsv >moved/test.tsv
    (cd moved && runs eval run --split test --set data.train=/nowhere --set data.val=/nowhere --set data.test=test.tsv)
    LC_ALL=C sed '1s/"vocabulary":/"vokabulary":/; 1s/"xxh3":/"none":/' run/best.safetensors >foreign.safetensors
    runs eval run --json && cp out own # weights of others carry no words: those of the data count
    runs eval run --json --checkpoint foreign.safetensors && same own out
    runs train class.yaml --out roomy --set model.vocab=30 --set train.max_steps=2
    runs eval roomy --json
    runs predict roomy test.tsv --json
    head -n 5 train.tsv >few.tsv
    fails_like 4 'the weights are of 16 words, those of the data are 1[0-9]' eval run --checkpoint foreign.safetensors \
        --set data.train=few.tsv --set data.val=few.tsv
}
labels() { # lines get what they got in the evaluation, to the last digit
    tail -n +2 test.tsv | cut -f 1 >lines.txt
    for pad in length batch; do
        runs eval run --split test --predictions rows.csv --set data.pad=$pad
        runs predict run lines.txt --json --set data.pad=$pad
        tr '{' '\n' <out | sed -n 's/^"class": "\([01]\)", "probability": \([0-9.e-]*\)}.*/\1 \2/p' >all
        sed '1d; s/.*:[0-9]*","\([01]\)","[01]",[0-9]*,\(.*\)/\1 \2/' rows.csv >wanted
        equal 21 "$(wc -l <wanted)"
        while read -r row; do grep -qxF "$row" all || wrong "no such prediction: $row" "$(head all)"; done <wanted
    done
    printf 'the film is good\n   \nthe film is bad' >few
    exits 3 predict run few
    contains err 'the sequence is empty'
    equal 2 "$(wc -l <out)"
    echo 'The film is good' | "$foci" predict run - >alone
    equal "$(head -n 1 out | tr 'T' 't')" "$(tr 'T' 't' <alone)" # whatever else is in the batch
}
check "eval and the test at the end" scored
check "labels of lines" labels

bits() { # threads, padding, parts; stopped anywhere
    for pad in length batch; do
        keys="--init lm --set data.pad=$pad --set train.max_steps=15 --set train.checkpoint_every=1"
        runs train class.yaml --out b-$pad $keys --threads 1
        runs train class.yaml --out threads $keys --threads 3 --force --set data.workers=1
        for f in last best; do same_weights b-$pad/$f.safetensors threads/$f.safetensors; done
        rm -rf killed
        "$foci" train class.yaml --out killed $keys >/dev/null 2>&1 &
        process=$!
        until [ -s killed/state.safetensors ] || ! kill -0 $process 2>/dev/null; do sleep 0.1; done
        kill -9 $process 2>/dev/null || true
        wait $process 2>/dev/null || true
        runs train class.yaml --out killed $keys --resume
        for f in last best; do same b-$pad/$f.safetensors killed/$f.safetensors; done
    done
    ! cmp -s b-length/last.safetensors b-batch/last.safetensors
    keys="--set train.max_steps=6 --set model.dropout=0 --set train.optimizer=sgd --set data.pad=batch"
    runs train class.yaml --out one $keys --set train.micro_batch=8
    runs train class.yaml --out four $keys --set train.micro_batch=2
    json loss <one/metrics.jsonl | cut -c 1-6 >a
    json loss <four/metrics.jsonl | cut -c 1-6 >b
    same a b
    sed 's/film/movie/' val.tsv >other.tsv
    runs train class.yaml --out ended --init lm --set train.max_steps=3
    fails_like 3 '.*ended was begun with other data: .*' train class.yaml --out ended --init lm --resume --set train.max_steps=4 --set data.val=other.tsv
}
check "threads, padding, killed and resumed: the same bits" bits

refused() {
    bad() { # MESSAGE TEXT
        printf "$2" >bad.tsv
        fails_like 3 "$1" train class.yaml --out x --set data.train=bad.tsv --set train.batch_size=1 --set train.micro_batch=1
        [ ! -e x ]
    }
    bad 'bad.tsv: no sequences' ''
    bad 'bad.tsv:2: 1 column, not SENTENCE<TAB>LABEL' 'a\t1\nb\n'
    bad 'bad.tsv:1: the sequence is empty' ' \t1\n'
    bad 'bad.tsv:1: there is no label' 'a\t\n'
    bad "bad.tsv:1: GLUE's test sentences, which have no labels" 'index\tsentence\n0\tfine\n'
    printf 'a film\t2\n' >bad.tsv
    fails_like 3 'bad.tsv:1: the label 2 is none of the model.s 2 \(0, ...\)' train class.yaml --out x --set data.val=bad.tsv
    fails_like 2 '--set model.vocab=9: model.vocab: 9 is less than the 16 tokens that data.train may have' train class.yaml --out x --set model.vocab=9
    fails_like 2 '--set model.num_classes=3: model.num_classes: 3, but data.train has 2 classes' train class.yaml --out x --set model.num_classes=3
    fails_like 2 '.*model lm_span_classifier takes no mask .*' train class.yaml --out x --set data.kind=byte_text --set data.label=last \
        --set model.vocab=300 --set data.test= --set train.test_at_end=false
    fails_like 2 '.*model.architecture eg: letter 1, e, has no layer before it.*' train class.yaml --out x --set model.architecture=eg
    runs train class.yaml --dry-run --set data.train=/nowhere --set model.vocab=50 --set model.num_classes=2
    runs bench class.yaml --steps 2
    runs bench class.yaml --steps 2 --data
    fails_like 2 '.*data.kind: steps of [0-9]+ lengths have no one speed: pad all to one length' bench class.yaml --steps 2 --data --set data.pad=batch
    runs train class.yaml --out cut --set model.length=5 --set train.max_steps=2
    contains err '^training: 60 of 60 sequences longer than 5 tokens, cut there$'
}
check "what is refused" refused
finish
