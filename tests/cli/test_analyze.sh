#!/bin/sh
# foci analyze: what it measures on a run, in words, JSON, CSV and pictures.
. "$(dirname "$0")/lib.sh"
make_images >/dev/null
"$foci" train vit.yaml --out run --set train.checkpoint_every=20 --set train.keep_every=1 2>/dev/null
"$foci" train vit.yaml --out plain --set attention.kind=softmax --set train.max_steps=2 2>/dev/null

words() {
    runs analyze run
    contains out '^blocks\.0 +-?[0-9.]+ +-?[0-9.]+ +-?[0-9.]+ +[0-9.]+ +[0-9.]+ +-$'
    contains out '^blocks\.1 +-?[0-9.]+ +-?[0-9.]+ +-?[0-9.]+ +[0-9.]+ +[0-9.]+ +[0-9.]+$'
    contains out '^means over 40 images; coordinates that count in the metric, of 8$'
    runs analyze plain
    contains out '^means over 40 images$'
}
check "a table" words

numbers() { # they do not depend on how many are measured at once
    runs analyze run --json --batch 40 --threads 2
    cp out at-once
    equal 40 "$(json images <out)"
    contains out '"layers":\[\{"name":"blocks\.0",.*"metric":null\},\{"name":"blocks\.1",.*"metric":\[\{"min":0\.'
    runs analyze run --json --batch 7 --threads 1
    equal "$(json token_cosine head_distance effective_rank <at-once | cut -c 1-8)" "$(json token_cosine head_distance effective_rank <out | cut -c 1-8)"
    runs analyze run --json --checkpoint run/step-20.safetensors
    [ "$(json token_cosine <out)" != "$(json token_cosine <at-once)" ]
    runs analyze run --json --limit 3
    equal 3 "$(json images <out)"
}
check "--json" numbers

folder() {
    runs analyze run --out seen --history --pictures 2
    equal "analysis.json attention.png heads.csv history.csv history.svg layers.csv layers.svg metric.svg pairs.csv" "$(ls seen | tr '\n' ' ' | sed 's/ $//')"
    equal 3 "$(wc -l <seen/layers.csv)"
    equal 3 "$(wc -l <seen/heads.csv)"
    equal 3 "$(wc -l <seen/pairs.csv)"
    contains seen/history.csv '^20,blocks\.1,'
    contains seen/history.csv '^,blocks\.1,'
    [ $(($(wc -l <seen/history.csv) - 1)) -ge 6 ]
    for f in layers metric history; do contains seen/$f.svg '^</svg>'; done
    equal "$(printf '\211PNG')" "$(head -c 4 seen/attention.png)"
    json history <seen/analysis.json | grep -q '"step":20'
}
check "--out" folder
cosines_end_at_one() { # the numbers of the axes above the title of a panel
    for panel in layers:similarity history:stream; do
        sed -n 's/<[^>]*>//g; s/^[[:space:]]*\([0-9.-]*\)$/\1/p; /token cosine.*'"${panel#*:}"'/q' seen/${panel%:*}.svg | grep '\.' >axis
        awk '$1 > 1 { print; bad = 1 } END { exit bad }' axis
    done
}
check "the axis of a cosine ends at 1" cosines_end_at_one

text() {
    "$foci" data make text text --train 2000 --valid 300 --test 300 >/dev/null
    cat >lm.yaml <<'YAML'
name: lm
model: {kind: lm, context: 16, d_model: 16, depth: 2, num_heads: 2, d_inner: 32, cutoffs: [50]}
attention: {kind: elliptical, scope: causal}
data: {kind: text, train: text/train.txt, valid: text/valid.txt, test: text/test.txt}
train: {batch_size: 4, epochs: 1, max_steps: 5}
YAML
    runs train lm.yaml --out words
    runs analyze words --limit 5 --out heard --json
    equal 5 "$(json windows <out)"
    [ -s heard/layers.svg ] && [ ! -e heard/attention.png ]
}
check "a language model" text

check "a layer that is not there" fails 2 '--layer: the model has layers 0 to 1' analyze run --layer 2
check "no history" fails 2 '--history: plain has no step-N.safetensors; train.keep_every leaves some' analyze plain --history
check "no number" fails 2 "--limit: \`many\` is not a whole number" analyze run --limit many
finish
