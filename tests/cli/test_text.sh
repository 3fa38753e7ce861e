#!/bin/sh
# Language models: words generated, text contaminated, the test at the end; and fine-tuning, which images share.
. "$(dirname "$0")/lib.sh"

check "images" make_images
check "text" make_text

trained() {
    runs train lm.yaml --out lm --set train.test_at_end=true
    contains err '^test, sliding windows: perplexity '
    runs train lm.yaml --out sequence --set attention.scope=sequence
    runs train vit.yaml --out vit
}
check "three runs" trained

tested() { # the test figure is that of eval, of the best weights
    contains lm/log.txt '^test, sliding windows: perplexity [0-9.]+ \([0-9.]+ nats per token\) over [0-9]+ tokens$'
    runs eval lm --split test --walk sliding --json
    equal "$(json ppl tokens <out)" "$(json test_ppl test_tokens <lm/metrics.jsonl | grep -v absent)"
    lacks sequence/log.txt '^test'
}
check "the test at the end" tested
no_test_text() {
    fails_like 2 '.*train.test_at_end: data.test has 0 tokens, fewer than a window of 16 and one more' \
        train lm.yaml --out no --set train.test_at_end=true --set data.test=
    [ ! -e no ] || wrong "it made a run folder"
}
check "a test without a text is refused at the start" no_test_text

stopped_in() { # RUN FILE TEXT KEY=VALUE...: asked to stop as soon as FILE says TEXT, far from the end of a long walk
    run=$1 file=$2 text=$3
    shift 3
    i=0
    while [ $i -lt 1000 ]; do cat text/test.txt; i=$((i + 1)); done >long.txt
    rm -rf "$run"
    "$foci" train lm.yaml --out "$run" --set train.max_steps=4 $(printf -- '--set %s ' "$@") 2>err &
    pid=$!
    until grep -q "$text" "$run/$file" 2>/dev/null; do kill -0 $pid; sleep 0.02; done
    kill -INT $pid
    code=0
    wait $pid || code=$?
    equal 75 $code
    equal interrupted "$(tr -d '\n' <"$run/summary.json" | json state)"
}
left_test() { # the test is left at once, made at the resume, and not made again
    stopped_in left log.txt '^testing' train.test_at_end=true data.test=long.txt
    contains err '^foci: stopped in the test, after the last step; --resume makes it again$'
    runs train lm.yaml --out left --resume --accept-changed-data --set train.max_steps=4 --set train.test_at_end=true
    contains err '^test, sliding windows: perplexity '
    runs train lm.yaml --out left --resume --set train.max_steps=4 --set train.test_at_end=true
    equal 1 "$(grep -c test_ppl left/metrics.jsonl)"
}
check "stopped in the test at the end" left_test
left_evaluation() { # likewise; what was trained is not lost
    stopped_in left metrics.jsonl '"step": 4,' data.valid=long.txt
    contains err '^foci: stopped after step 4 of 4; --resume goes on from there$'
    lacks left/metrics.jsonl '"ppl"'
    runs train lm.yaml --out left --resume --accept-changed-data --set train.max_steps=4
    equal 1 "$(grep -c '"ppl"' left/metrics.jsonl)"
}
check "stopped in an evaluation" left_evaluation

generates() { # RUN: the same words whatever is kept, whatever the threads; others for another seed
    for k in 1 2; do
        runs generate $1 --prompt "the" --tokens 40 --seed 5 --threads $k
        cp out words-$k
    done
    same words-1 words-2
    contains err "$2"
    contains words-1 '^the '
    equal 41 "$(tr ' ' '\n' <words-1 | wc -l | tr -d ' ')" || [ "$(wc -l <words-1)" -gt 1 ]
    lacks words-1 '<unk>|<eos>'
    runs generate $1 --prompt "the" --tokens 40 --seed 5 --recompute
    same words-1 out
    contains err '^the window of 16 tokens is computed anew for each word$'
    runs generate $1 --prompt "the" --tokens 40 --seed 6
    ! cmp -s words-1 out || wrong "another seed gives the same words"
}
check "generate: keys and values are kept" generates lm 'keys and values are kept, which is exact with elliptical attention, until the window of 16 tokens is full'
check "generate: computed anew" generates sequence 'elliptical attention, as configured, .*: the window of 16 tokens is computed anew for each word'
greedy() {
    runs generate lm --tokens 20 --temperature 0
    cp out one
    runs generate lm --tokens 20 --top-k 1 --seed 77
    same one out
    runs generate lm --tokens 10
    contains err '^keys and values are kept from word to word, which is exact with elliptical attention$'
}
check "generate: the likeliest words" greedy
generate_json() {
    runs generate lm --tokens 12 --prompt 'a "b"' --top-p 0.5 --seed 3 --json
    equal 1 "$(wc -l <out | tr -d ' ')"
    equal 'prompt words logprob text tokens temperature top_k top_p seed cache window' "$(json <out)"
    equal '12 3 16' "$(json tokens seed window <out)"
}
check "generate --json" generate_json
check "generate: no words in images" fails_like 2 '.*model.kind: vit on image_folder has no words to generate' generate vit
check "generate: no such temperature" fails 2 '--temperature: `-1` is out of bounds: 0 to 1000000' generate lm --temperature=-1
check "generate: no words at all" fails 2 '--tokens: `0` is out of bounds: 1 to 10000000' generate lm --tokens 0

contaminated() {
    runs eval lm --split test --walk sliding --json
    clean=$(json ppl tokens <out)
    runs eval lm --split test --walk sliding --json --contaminate word-swap:rate=0.2,min=2
    equal 'split walk nll loss ppl tokens contaminated_nll contaminated_ppl contamination' "$(json <out)"
    equal "$clean" "$(json ppl tokens <out)"
    json ppl contaminated_ppl <out | awk '{ exit !($1 != $2 && $2 > 1) }'
    cp out one
    runs eval lm --split test --walk sliding --json --contaminate word-swap:rate=0.2,min=2 --threads 3
    same one out
    runs eval lm --contaminate word-swap:rate=0,min=0 --json
    json ppl contaminated_ppl <out | awk '{ exit !($1 == $2) }'
    runs eval lm --contaminate word-swap
    contains out '^val, disjoint windows: perplexity [0-9.]+ clean, [0-9.]+ contaminated \([0-9.]+ and [0-9.]+ nats per token\) over [0-9]+ tokens$'
    contains out '"kind": "word-swap", "rate": 0.015, "min": 1, "stop_words": "spare", "word": "AAA", "seed": 0'
}
check "eval --contaminate" contaminated
check "no such contamination" fails 2 'there is no contamination `swap`; foci list contaminations names them' eval lm --contaminate swap
check "images are not contaminated so" fails_like 2 '.*model.kind: vit on image_folder has no text to contaminate' eval vit --contaminate word-swap

# The sums of a sliding walk are kept in a file; one that was cut off, or whose command was killed, ends the same.
sums() {
    sliding="eval lm --split test --walk sliding --json"
    runs $sliding
    cp out unkept
    runs $sliding --out sums.csv
    same unkept out
    cp sums.csv all.csv
    contains sums.csv '^# foci eval \{"weights": "[0-9a-f]{16}", "config": "[0-9a-f]{16}", "data": "valid 1 files, [^"]*", "split": "test", "walk": "sliding"\}$'
    equal windows,tokens,nll,bytes "$(sed -n 2p sums.csv)"
    equal "$(json tokens <out)" "$(tail -n 1 sums.csv | cut -d , -f 2)"
    [ "$(wc -l <sums.csv)" -gt 4 ] || wrong "it has few rows: $(cat sums.csv)"
    owner=$(head -n 1 all.csv | wc -c)
    for bytes in 10 40 80; do
        head -c $((owner + bytes)) all.csv >sums.csv
        runs $sliding --out sums.csv
        same unkept out
        same all.csv sums.csv
    done
    runs $sliding --out sums.csv
    same unkept out
    fails_like 2 'sums.csv belongs to `foci eval \{.*: name another file, or remove it' eval lm --split val --walk sliding --out sums.csv
    fails_like 2 'sums.csv belongs to `foci eval \{.*' $sliding --out sums.csv --checkpoint lm/last.safetensors --set model.dropout=0.5
    fails 2 '--out is for text, not for images' eval vit --out sums.csv
    fails 2 '--per-class, --predictions and --out go with the score of a split alone' eval lm --contaminate word-swap --out sums.csv
}
check "eval --out goes on with a sliding walk" sums

predictions() {
    runs eval vit --json
    cp out unkept
    runs eval vit --json --predictions said.csv --per-class
    for key in top1 top5 loss images; do equal "$(json $key <unkept)" "$(json $key <out)"; done
    equal 'image,label,predicted,rank,probability' "$(head -n 1 said.csv)"
    equal "$(json images <unkept)" "$(($(wc -l <said.csv) - 1))"
    contains said.csv '^"([a-z-]+)/[0-9]+\.(png|jpg)","\1","[a-z-]+",[0-9]+,0\.[0-9]+'
    awk -F, -v top1="$(json top1 <unkept)" 'NR > 1 { n++; right += $4 == 1; wrong += ($4 == 1) != ($2 == $3) }
        END { exit !(100 * right / n == top1 + 0 && wrong == 0) }' said.csv || wrong "the rows do not add up to top1"
    json per_class <out >classes
    equal "$(ls images/val | tr '\n' ' ' | sed 's/ $//')" "$(json <classes)"
    class=$(ls images/val | head -n 1)
    equal "$(ls images/val/$class | wc -l | tr -d ' ') $(awk -F, -v c="\"$class\"" '$2 == c { n++; r += $2 == $3 } END { print 100 * r / n }' said.csv)" \
        "$(json $class <classes | json images top1 | awk '{ print $1, $2 + 0 }')"
    runs eval vit --per-class
    contains out "^$class +[0-9]+ +[0-9]+\.[0-9][0-9]$"
    equal "$((2 + $(ls images/val | wc -l)))" "$(wc -l <out | tr -d ' ')"
    fails 2 '--predictions is for models that tell classes; one of text has none' eval lm --predictions no.csv
    fails 2 '--per-class is for models that tell classes; one of text has none' eval lm --per-class
    fails_like 6 'nowhere/said.csv.*' eval vit --predictions nowhere/said.csv
    [ ! -e no.csv ] || wrong "it wrote something"
}
check "eval --predictions, --per-class" predictions

# A text too short names its file and the key that cures.
short() {
    printf 'a b c\n' >short.txt
    runs eval lm --split test --walk disjoint --set data.test=short.txt
    contains out 'over 3 tokens$'
    echo >empty.txt
    fails_like 3 'data.test: empty.txt: .*' eval lm --split test --walk disjoint --set data.test=empty.txt
    fails 3 'data.test: short.txt: rows of 4 tokens are too short for a window of 16 and the token after it: lower model.context, or walk in disjoint windows' \
        eval lm --split test --walk sliding --set data.test=short.txt
    fails_like 3 'data.train: short.txt: 4 tokens are too few for a batch of [0-9]+: at least 2 in each row; lower train.batch_size' \
        train lm.yaml --out no --set data.train=short.txt
}
check "a text that is too short" short

frozen() { # CONFIG RUN FREEZE REST: with one frozen something moves; with both there is nothing to train
    runs eval $2 --json
    cp out before
    runs train $1.yaml --out still --force --init $2 --set "train.freeze=$3" --set train.weight_decay=0.1 --set train.max_steps=3
    runs eval still --json --checkpoint still/last.safetensors
    ! cmp -s before out || wrong "nothing moved"
    fails_like 2 'the loss needs no gradient: it depends on no parameter that is trained' \
        train $1.yaml --out no --init $2 --set "train.freeze=$3 $4"
}
check "images: frozen parameters" frozen vit vit "patch_embed cls_token pos_embed blocks.0 blocks.1" "norm head"
check "text: frozen parameters" frozen lm lm "word_emb layers.0" "layers.1 crit"
check "what cannot be frozen" fails_like 2 'train.freeze: no parameter is called `blocks.9` or begins with `blocks.9.`' train vit.yaml --out no --set train.freeze=blocks.9
scaled() {
    runs train vit.yaml --out plain --set train.max_steps=3
    runs train vit.yaml --out scaled --set train.max_steps=3 --set "train.lr_scale=head=10"
    ! cmp -s plain/last.safetensors scaled/last.safetensors || wrong "the rate of the head changes nothing"
    runs train vit.yaml --out none --set train.max_steps=3 --set "train.lr_scale=head=1 blocks=1"
    same plain/last.safetensors none/last.safetensors
    fails_like 2 'train.lr_scale: `head` needs a factor of 0 or more, as in head=10' train vit.yaml --out no --set train.lr_scale=head
}
check "rates by name" scaled

new_head() { # fewer classes than the weights know
    cp -r images few
    for class in $(ls few/train | tail -n 4); do rm -r few/train/$class few/val/$class; done
    runs train vit.yaml --out six --init vit --set data.train=few/train --set data.val=few/val --set train.max_steps=2
    contains six/log.txt '^[0-9]+ of [0-9]+ parameters from vit/best.safetensors; new, of another shape: head.bias is \(10\) in the file and \(6\) in the model, head.weight is '
    fails_like 4 'vit/best.safetensors does not fit the model; .*shapes differ: .*' train vit.yaml --out no --init vit --set model.embed_dim=32
    fails_like 4 'lm/best.safetensors does not fit the model; missing: .*' train vit.yaml --out no --init lm
}
check "--init with a new head" new_head

other_size() { # the run's own log says what became of the positions, and so does whoever runs weights at another size
    runs train vit.yaml --out larger --init vit --set model.img_size=48 --set train.max_steps=2
    contains larger/log.txt 'parameters from vit/best.safetensors; of another size: pos_embed resized from 4x4 to 6x6 patches, antialiased$'
    runs eval vit --set model.img_size=16 --json
    contains err 'vit/best.safetensors: pos_embed resized from 4x4 to 2x2 patches, antialiased$'
    cp out antialiased
    runs eval vit --set model.img_size=16 --set model.pos_antialias=false --json
    contains err 'pos_embed resized from 4x4 to 2x2 patches$'
    ! cmp -s out antialiased || wrong "antialiased or not is the same"
}
check "positions of another size" other_size

averaged() {
    runs average vit vit/best.safetensors --out same
    runs eval vit --json --checkpoint same
    cp out one
    runs eval vit --json
    same one out
    fails_like 4 'lm/best.safetensors: tensor .* is missing' average vit lm --out no
    [ ! -e no ] || wrong "it wrote something"
    fails 2 '--out FILE: where is the average to go?' average vit
    fails_like 4 'nope: .*' average vit nope --out no
}
check "average" averaged
book() { # an ordinary text has no <unk>; its rare words, and those that only the validation text has, are read as one
    sed 's/<unk>/rareword/g' text/train.txt | awk 'NR % 50 == 0 { $1 = "once" NR } { print }' >book.txt
    sed 's/<unk>/unheard/g' text/valid.txt >book-valid.txt
    runs train lm.yaml --out book --set data.train=book.txt --set data.valid=book-valid.txt --set data.test= --set train.max_steps=4
    contains err '^book.txt: rare words, read as <unk>: [0-9]+, in [0-9]+ of the tokens \(data.min_count, data.vocab_limit\)$'
    [ -z "$(ls book*.vocab text/*.vocab 2>&-)" ] || wrong "something lies beside the text"
    fails_like 3 'book-valid.txt:[0-9]+: "unheard" is not in the vocabulary, which has no <unk>; data.min_count 2 or data.vocab_limit makes one of rare words' \
        train lm.yaml --out no --set data.train=book.txt --set data.valid=book-valid.txt --set data.test= --set data.min_count=1
}
check "a book without <unk>" book
large_cutoffs() {
    fails_like 2 'model.cutoffs must rise and stay below the vocabulary of [0-9]+ words, as \[[0-9]+, [0-9]+\] do; \[0\] fits any \(model at lm.yaml:2:9\)' \
        train lm.yaml --out no --set 'model.cutoffs=[2000,10000]'
    runs train lm.yaml --out fits --set 'model.cutoffs=[0]' --set train.max_steps=2
}
check "cutoffs that are too large" large_cutoffs
finish
