#!/bin/sh
# `foci scaling`: one attention layer as the tokens grow, of every variant; this test knows no name but that of the dot
# product and of two that are cheaper.
. "$(dirname "$0")/lib.sh"
runs list attention
cp out kinds
small="--from 32 --to 64 --width 8 --heads 2 --threads 1"

everything() { # [OPTION]: each variant has rows, timed or with a reason
    runs scaling $small --csv "$@"
    equal 'kind,tokens,ms,mb,gflop,why' "$(head -n 1 out)"
    while read -r kind _; do
        contains out "^\"$kind\",32,"
    done <kinds
    awk -F, 'NR > 1 && ($3 == "") != ($6 != "\"\"") { print "neither timed nor explained: " $0; bad = 1 } END { exit bad }' out
}
check "every attention" everything
check "every attention, causal" everything --causal
causal() { # what has no causal form says so
    runs scaling $small --causal
    while read -r kind causal _; do
        if [ "$causal" = - ]; then contains out "^$kind +32  has no causal form$"; else contains out "^$kind +64 +[0-9.]+ +[0-9.]+ +[0-9.]+$"; fi
    done <kinds
}
check "the table" causal
exponents() { # work grows with the tokens alone where little is seen of many; memory of the dot product, too
    runs scaling softmax longformer reformer --from 512 --to 2048 --width 16 --heads 1 --set attention.window=16 --json
    equal 1 "$(wc -l <out | tr -d ' ')"
    equal "16 1" "$(json width heads <out)"
    contains out '"kind": "softmax", "time_exponent": [0-9.]+, "memory_exponent": [01]\.[0-9]+, "rows": \[\{"tokens": 512, "ms": [0-9.]+, "mb": [0-9.]+, "gflop": [0-9.]+, "why": null\}'
    equal 3 "$(grep -o '"time_exponent": [0-9.]' out | wc -l | tr -d ' ')"
}
check "exponents" exponents
budgets() {
    runs scaling softmax --from 32 --to 64 --memory 1 --heads 64
    contains out '^softmax +(32|64)  needs [0-9.]+ MB$'
    runs scaling softmax --from 32 --to 1000000 --seconds 0.001
    contains out '^softmax +[0-9]+  would take about [0-9.e+-]+ s$'
}
check "budgets of memory and time" budgets
refused() { # what a variant refuses stands in its row, the others are measured
    runs scaling softmax reformer $small --set attention.buckets=3
    contains out '^softmax +64 +[0-9.]+'
    contains out '^reformer +32  .*attention.buckets 3 is odd'
}
check "a refusal" refused
if command -v gnuplot >/dev/null; then
    picture() {
        runs scaling softmax longformer $small --out s.svg --csv
        for text in '<svg' '>planned MB<' '>ms, forward and backward<' '>tokens<' '>softmax: ' '>longformer: ' '>exponents: time, memory<'; do contains s.svg "$text"; done
    }
    check "the picture" picture
else
    echo "skipped: the picture needs gnuplot"
fi
check "a picture of no known kind" fails 2 '--out: `s.jpg` does not end in .svg or .png' scaling softmax --out s.jpg
check "an attention that there is not" fails 2 'there is no attention x (see foci list attention)' scaling x
check "no length between" fails 2 '--from is above --to' scaling softmax --from 64 --to 32
check "a key that there is not" fails_like 2 '.*attention.x.*' scaling softmax --set attention.x=1
finish
