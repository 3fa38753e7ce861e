#!/bin/sh
# `foci plot` draws what metrics.jsonl holds, by gnuplot.
. "$(dirname "$0")/lib.sh"

# NAME METRIC...: a run folder of five epochs whose validation lines carry METRIC
run() {
    name=$1
    shift
    mkdir -p "$name"
    for i in 1 2 3 4 5; do
        echo "{\"step\": $((i * 10)), \"epoch\": $i, \"loss\": $((6 - i)).5, \"lr\": 0.001, \"grad_norm\": 1}"
        echo "{\"step\": $((i * 10)), \"epoch\": $i, $(printf "$1" $((i * 11)))}"
    done >"$name/metrics.jsonl"
}
run first '"top1": %d'
run second '"top1": 2%d'
run words '"nll": 3, "ppl": %d'

svg() {
    runs plot first second
    equal plot.svg "$(cat out)"
    [ ! -s err ] || wrong "on standard error:" "$(cat err)"
    contains plot.svg '^<svg'
    contains plot.svg '^</svg>'
    contains plot.svg 'width="900" height="360"'
    for text in 'training loss' 'validation accuracy, top-1 in %' step epoch first second; do contains plot.svg "<text>.*$text"; done
    [ ! -e plot.svg.tmp ]
}
check "an SVG of two runs" svg
different() {
    runs plot first --out a.svg
    runs plot second --out b.svg
    runs plot first --out c.svg
    same a.svg c.svg
    ! cmp -s a.svg b.svg || wrong "two runs give one picture"
}
check "the picture depends on the data" different
text() {
    runs plot words --out words.svg
    contains words.svg '<text>.*validation perplexity'
}
check "perplexity" text
png() {
    runs plot words first --out x.png 2>/dev/null || true
    runs plot first --out x.png
    equal 'PNG' "$(head -c 4 x.png | tail -c 3)"
}
check "a PNG" png
losses_only() {
    mkdir -p young
    head -n 1 first/metrics.jsonl >young/metrics.jsonl
    printf '{"step": 20, "ep' >>young/metrics.jsonl # still being written
    runs plot young --out young.svg
    contains young.svg 'training loss'
    lacks young.svg validation
}
check "a run without a validation yet" losses_only
gaps() { # null: not finite
    mkdir -p gap
    sed '3s/"loss": [0-9.]*/"loss": null/' first/metrics.jsonl >gap/metrics.jsonl
    runs plot gap --out gap.svg
}
check "a loss that is null" gaps
many() { # far more points than pixels
    mkdir -p long
    awk 'BEGIN { for (i = 1; i <= 40000; i++) printf "{\"step\": %d, \"epoch\": %g, \"loss\": %g}\n", i, i / 1000, 1 + 1 / i }' >long/metrics.jsonl
    runs plot long --out long.svg
    [ "$(wc -c <long.svg)" -lt 60000 ] || wrong "long.svg has $(wc -c <long.svg) bytes"
    contains long.svg 'step \(thousands\)'
}
check "many points are thinned" many
hostile() { # a name is shown as it is, and never run
    name="a'b\"; set output 'x'; !touch hacked; \`touch hacked\` <b> \$(touch hacked)"
    run "$name" '"top1": %d'
    runs plot "$name" --out hostile.svg
    [ ! -e hacked ]
    contains hostile.svg "<text>a'b\"; set output 'x'; !touch hacked; .touch hacked. &lt;b(>|&gt;) .\(touch hacked\)</text>"
    newline=$(printf 'two\n!touch hacked\nlines')
    run "$newline" '"top1": %d'
    runs plot "$newline" --out hostile.svg
    [ ! -e hacked ]
}
check "a hostile name" hostile

check "another ending" fails 2 '--out: `x.pdf` does not end in .svg or .png' plot first --out x.pdf
check "accuracy and perplexity do not mix" fails 2 'some runs have accuracies, some perplexities: draw them apart' plot first words --out no.svg
check "no run" fails 2 'usage: foci plot RUN... (see foci plot --help)' plot
check "no metrics" fails 3 'nope/metrics.jsonl: No such file or directory' plot nope --out no.svg
mkdir broken empty
broken() { # LINE-3 MESSAGE
    sed "3s/.*/$1/" first/metrics.jsonl >broken/metrics.jsonl
    fails_like 3 "broken/metrics.jsonl:3: $2" plot first broken --out no.svg
}
check "a line that is no JSON" broken '{"step": 20, ' 'no JSON: .*'
check "a line without a step" broken '{"epoch": 2, "loss": 3}' 'no numbers `step` and `epoch`'
check "a line that is no object" broken '[1, 2]' 'no numbers `step` and `epoch`'
binary() {
    head -c 5000 "$foci" >broken/metrics.jsonl
    fails_like 3 'broken/metrics.jsonl:1: no JSON: .*' plot broken --out no.svg
}
check "a file of something else" binary
: >empty/metrics.jsonl
check "a file with nothing in it" fails 3 'empty/metrics.jsonl: no losses or scores in it yet' plot empty --out no.svg
without_gnuplot() {
    mkdir -p bin
    PATH=$work/bin
    code=0
    "$foci" plot first --out no.svg 2>err || code=$?
    PATH=$path
    equal "1 foci: gnuplot is not here; install the package gnuplot-nox (or gnuplot)" "$code $(cat err)"
}
path=$PATH
check "no gnuplot" without_gnuplot
failing_gnuplot() { # the old picture stays
    printf '#!/bin/sh\necho >&2\necho "line 3: it hurts" >&2\nexit 1\n' >bin/gnuplot
    chmod +x bin/gnuplot
    echo old >no.svg
    PATH=$work/bin:$PATH
    fails 1 'gnuplot: line 3: it hurts' plot first --out no.svg
    equal old "$(cat no.svg)"
    rm no.svg
}
check "a gnuplot that fails" failing_gnuplot
nothing_left() { [ ! -e no.svg ] && [ ! -e no.svg.tmp ]; }
check "what fails leaves no picture" nothing_left
check "a folder that is not there" fails 6 'nope/x.svg.tmp: No such file or directory' plot first --out nope/x.svg
finish
