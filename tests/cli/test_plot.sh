#!/bin/sh
# `foci plot` draws what metrics.jsonl holds, by gnuplot.
. "$(dirname "$0")/lib.sh"

# NAME METRIC...: a run folder of five epochs whose validation lines carry METRIC
run() {
    name=$1
    shift
    mkdir -p "$name"
    for epoch in 1 2 3 4 5; do
        echo "{\"step\": $((epoch * 10)), \"epoch\": $epoch, \"loss\": $((6 - epoch)).5, \"lr\": 0.001, \"grad_norm\": 1}"
        echo "{\"step\": $((epoch * 10)), \"epoch\": $epoch, $(printf "$1" $((epoch * 11)))}"
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
    contains plot.svg 'width="1230" height="410"'
    for text in '>loss<' '>validation accuracy, top-1 in %<' '>learning rate' '>epoch<' '>first<' '>second<' '>training loss, smoothed<' '>validation<'; do
        contains plot.svg "$text"
    done
    lacks plot.svg 'averaged weights|perplexity|step'
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
    lacks words.svg accuracy
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
    contains young.svg '>loss<'
    contains young.svg '>learning rate'
    contains young.svg '>step<'
    lacks young.svg validation
}
check "a run without a validation yet" losses_only
gaps() { # null: not finite
    mkdir -p gap
    sed '3s/"loss": [0-9.]*/"loss": null/' first/metrics.jsonl >gap/metrics.jsonl
    runs plot gap --out gap.svg
}
check "a loss that is null" gaps
ends() { # what `foci train` writes when it tests at the end
    mkdir -p tested
    { cat words/metrics.jsonl; echo '{"step": 50, "test_nll": 3.1, "test_ppl": 22.2, "test_tokens": 100}'; } >tested/metrics.jsonl
    runs plot tested --out tested.svg
    runs plot words --out words.svg
    sed 's/tested/words/' tested.svg >renamed.svg
    same words.svg renamed.svg
}
check "a test at the end is not of the curves" ends
averaged() { # dashed, in the same colour
    run mean '"val_loss": 1.5, "top1": %d, "ema_loss": 1.25, "ema_top1": 60'
    runs plot first mean --out mean.svg
    contains mean.svg '>validation with averaged weights<'
    contains mean.svg 'stroke-dasharray'
    runs plot first second --out plain.svg
    lacks plain.svg 'stroke-dasharray|averaged'
}
check "averaged weights are dashed" averaged
colours() { # as many as there are, then other dots
    set --
    for i in 1 2 3 4 5 6 7 8 9 10; do
        run "run-$i" "\"top1\": $i%d"
        set -- "$@" "run-$i"
    done
    runs plot "$@" --out ten.svg
    for colour in '0, 114, 178' '213,  94,   0' '0, 158, 115' '204, 121, 167' '230, 159,   0' '86, 180, 233' '85,  85,  85' '184, 169,   0'; do
        contains ten.svg "rgb\( *$colour\)"
    done
    for i in 1 2 3 4 5 6 7 8 9 10; do contains ten.svg ">run-$i<"; done
}
check "ten runs" colours
namesakes() {
    mkdir -p here there
    cp -r first here/same
    cp -r second there/same
    runs plot here/same there/same --out same.svg
    contains same.svg '>here/same<'
    contains same.svg '>there/same<'
    lacks same.svg '>same<'
}
check "folders of one name go by their paths" namesakes
long_name() {
    long=$(printf 'n%.0s' 1 2 3 4 5 6 7 8 9 10)
    long=$long$long$long$long$long$long$long$long$long$long
    run "$long" '"top1": %d'
    runs plot "$long" --out name.svg
    contains name.svg '>n{77}\.\.\.<'
}
check "a long name is shortened" long_name
smooth() { # noise of +-1 around a line goes, the line stays
    mkdir -p noisy
    awk 'BEGIN { for (i = 1; i <= 800; i++) printf "{\"step\": %d, \"epoch\": 1, \"loss\": %g}\n", i, 5 - i / 400 + (int((i - 1) / 8) % 2 ? 1 : -1) }' >noisy/metrics.jsonl
    runs plot noisy --out noisy.svg
    lacks noisy.svg '>(6|2)<' # no axis that far
    contains noisy.svg '>5<'
}
check "the training loss is smoothed" smooth
rising() { # a loss over decades has a logarithmic axis
    mkdir -p wide
    awk 'BEGIN { for (i = 1; i <= 50; i++) printf "{\"step\": %d, \"epoch\": 1, \"loss\": %g}\n", i, 100 / i / i }' >wide/metrics.jsonl
    runs plot wide --out wide.svg
    contains wide.svg '>0.1<'
    contains wide.svg '>10<'
}
check "a loss over decades" rising
many() { # far more points than pixels
    mkdir -p long
    awk 'BEGIN { for (i = 1; i <= 40000; i++) printf "{\"step\": %d, \"epoch\": %g, \"loss\": %g}\n", i, i / 40000, 1 + 1 / i }' >long/metrics.jsonl
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
check "accuracy and perplexity do not mix" fails 2 'some runs have top-1, some perplexity: draw them apart' plot first words --out no.svg
check "no run" fails 2 'usage: foci plot RUN... (see foci plot --help)' plot
mkdir no-metrics
: >file
check "a folder without metrics" fails 3 'no-metrics/metrics.jsonl: No such file or directory' plot no-metrics --out no.svg
check "a file" fails 3 'file/metrics.jsonl: Not a directory' plot file --out no.svg
check "no metrics" fails 3 'nope/metrics.jsonl: No such file or directory' plot nope --out no.svg
mkdir broken empty
broken() { # LINE-3 MESSAGE
    sed "3s/.*/$1/" first/metrics.jsonl >broken/metrics.jsonl
    fails_like 3 "broken/metrics.jsonl:3: $2" plot first broken --out no.svg
}
check "a line that is no JSON" broken '{"step": 20, ' 'no JSON: .*'
check "a line without a step" broken '{"epoch": 2, "loss": 3}' 'no numbers `step` and `epoch`'
check "a score without an epoch" broken '{"step": 2, "top1": 3}' 'no numbers `step` and `epoch`'
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
