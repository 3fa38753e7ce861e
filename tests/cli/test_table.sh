#!/bin/sh
# foci table and foci sweep: what is missing is done and nothing twice, stopped in any way they go on to the same table, and
# what is wrong in a file is said with its place.
. "$(dirname "$0")/lib.sh"

check "images" make_images
cat >t.yaml <<'YAML'
title: 'A table of <two> & more'
note: 100 % made up
seeds: [0, 1]
set: {train.max_steps: 20}
measure:
  clean: val
  best: {run: 'val:checkpoint=none.safetensors', show: [top1]}
runs:
  - {name: softmax, config: vit.yaml, set: {attention.kind: softmax}, paper: {clean.top1: 72.5 recalled}}
  - {name: elliptical, config: vit.yaml, baseline: softmax}
  - {name: published, paper: {clean.top1: 71 log}}
YAML
sed '/^  best:/d' t.yaml >good.yaml

whole() { # everything is done once; a second call does nothing and prints the same
    runs table run good.yaml --out whole --jobs 2 --threads 2
    cp out first
    contains out '^softmax +[0-9.]+ ± [0-9.]+. +72\.50 recalled '
    contains out '^published +-  +71\.00 log '
    contains out '^elliptical less softmax$'
    contains out '^  clean top-1, % +[+-][0-9.]+ \([+-][0-9.]+ %\) +[+-][0-9.]+ to [+-][0-9.]+   2 seeds  (no difference seen|better|worse)$'
    equal 8 "$(grep -c '^\[' err)"
    cp -r whole/runs before
    runs table run good.yaml --out whole
    same first out
    lacks err '^\['
    diff -r before whole/runs
    for f in table.md table.csv table.tex table.html; do [ -s whole/$f ]; done
    contains whole/table.csv '^run,measurement,result,unit,seeds,mean,sd,rank,paper,mark,baseline,pairs,difference,low,high,verdict,seed 0,seed 1$'
    equal 7 "$(wc -l <whole/table.csv)"
    contains whole/table.html 'A table of &lt;two&gt; &amp; more'
    contains whole/table.tex '100 \\% made up'
    lacks whole/table.html 'https?:|src=|href=|@import|url\('
    contains whole/table.html 'prefers-color-scheme:dark'
}
check "a table, whole; a second time nothing is done" whole

killed() { # SIGNAL: at several moments; the results that were there stay untouched, and the table is the same
    for after in 0.1 0.5 1 2; do
        "$foci" table run good.yaml --out cut --jobs 2 --threads 2 >/dev/null 2>&1 &
        pid=$!
        sleep $after
        kill -$1 $pid 2>/dev/null || true
        wait $pid || true
    done
    sleep 0.2
    find cut/results -name '*.json' -exec stat -c '%n %i %Y' {} + 2>/dev/null | sort >kept || true
    runs table run good.yaml --out cut --jobs 2
    same first out
    same whole/table.csv cut/table.csv
    same whole/table.html cut/table.html
    while read -r file rest; do equal "$file $rest" "$(stat -c '%n %i %Y' "$file")"; done <kept
    for run in whole/runs/*; do same $run/best.safetensors cut/runs/${run##*/}/best.safetensors; done
    rm -rf cut
}
check "killed with KILL at several moments" killed KILL
check "stopped with INT at several moments" killed INT

relative() { # to a row that comes later; that row itself has nothing to be compared with
    cat >relative.yaml <<'YAML'
seeds: [0, 1]
set: {train.max_steps: 20}
measure:
  corrupted: 'corrupt:relative-to=softmax,limit=10,severity=5'
runs:
  - {name: elliptical, config: vit.yaml}
  - {name: softmax, config: vit.yaml, set: {attention.kind: softmax}}
YAML
    runs table run relative.yaml --out relative --runs whole/runs --jobs 2
    contains relative/table.csv '^"elliptical","corrupted",mce,%,2,[0-9.]+,'
    contains relative/table.csv '^"softmax","corrupted",mce,%,0,'
    contains relative/table.csv '^"softmax","corrupted",mean_error,%,2,[0-9.]+,'
    cp out related
    runs table run relative.yaml --out relative --runs whole/runs
    same related out
    lacks err '^\['
}
check "a measurement relative to another row" relative

other_weights() { # of a run that became another: it is measured again, and what is relative to it
    cp -r whole altered
    cp -r relative again
    for run in altered/runs/*; do
        grep -q 'kind: softmax' "$run/config.yaml" || cp "$run/best.safetensors" elliptical.safetensors
    done
    for run in altered/runs/*; do
        ! grep -q 'kind: softmax' "$run/config.yaml" || cp elliptical.safetensors "$run/best.safetensors"
    done
    runs table run good.yaml --out altered
    equal 2 "$(grep -c '^\[.*clean: softmax' err)"
    equal 2 "$(grep -c '^\[' err)"
    ! cmp -s whole/table.csv altered/table.csv || wrong "the old results stayed"
    runs table run good.yaml --out altered
    lacks err '^\['
    runs table run relative.yaml --out again --runs altered/runs
    equal 4 "$(grep -c '^\[.*corrupted: ' err)"
    cat again/results/*/corrupt-*.json >all
    contains all '"of": \{"weights": "[0-9a-f]{16}", "data": "val 40 files, [^"]*", "relative_to": "[0-9a-f]{16}"\}'
    rm -rf altered/runs # without them there is nothing to be compared
    runs table run good.yaml --out altered --status
    lacks err '^\['
}
check "weights that became others are measured again" other_weights
other_data() { # a validation folder that changed
    cp -r whole changed
    victim=$(find images/val -type f | head -n 1)
    mv "$victim" kept
    runs table run good.yaml --out changed
    equal 4 "$(grep -c '^\[.*clean: ' err)"
    mv kept "$victim"
    runs table run good.yaml --out whole
    lacks err '^\['
}
check "validation data that changed are measured again" other_data

stopped() { # exit code 75, a message, and no child left
    "$foci" table run good.yaml --out stopped --set 2>/dev/null && wrong "an unknown option"
    "$foci" table run good.yaml --out stopped >out 2>err &
    pid=$!
    while kill -0 $pid 2>/dev/null && ! grep -q '^\[1/' err; do sleep 0.02; done
    kill -TERM $pid
    code=0
    wait $pid || code=$?
    equal 75 $code
    contains err '^foci: stopped; the same command goes on from there$'
}
check "a stopped table says so" stopped

damaged() { # a result that is cut short is measured again
    file=$(find whole/results -name '*.json' | head -n 1)
    cp "$file" intact
    head -c 40 intact >"$file"
    runs table run good.yaml --out whole
    equal 1 "$(grep -c '^\[' err)"
    same first out
    json result <"$file" >/dev/null
}
check "a damaged result is made again" damaged

partial() { # one measurement cannot be made: the others stand, the first failure is told
    exits 4 table run t.yaml --out whole
    contains out '^softmax .* failed'
    contains err '^foci: 4 of 12 commands failed \(messages in whole/logs\), first: best: softmax, seed 0: .*none.safetensors'
}
check "a measurement that fails" partial

another() { # a new measurement and a new run: only they are done
    sed 's|^  clean: val|&\n  attacked: {run: "fgsm:eps=1/255", show: [top1]}|' good.yaml >more.yaml
    echo '  - {name: linear, config: vit.yaml, set: {attention.kind: linear}}' >>more.yaml
    runs table run more.yaml --out whole
    equal 10 "$(grep -c '^\[' err)"
    contains out '^linear '
    sed 's/max_steps: 20/max_steps: 21/' good.yaml >longer.yaml
    runs table run longer.yaml --out whole
    equal 8 "$(grep -c '^\[' err)"
}
check "what changed is done, and only that" another

shared() { # --runs: trained once for two tables; a result is shared by whatever name a table calls it
    runs table run good.yaml --out other --runs whole/runs
    equal 4 "$(grep -c '^\[' err)"
    lacks err train
    same first out
    runs table run good.yaml --out nothing --status
    lacks err '^\['
    contains out '^softmax +- '
    sed 's/clean/plain/; s/^runs:/  again: val\n&/' good.yaml >renamed.yaml
    runs table run renamed.yaml --out other --runs whole/runs
    lacks err '^\['
    contains out '^softmax +[0-9.]+ ± [0-9.]+ '
    runs table run renamed.yaml --out twice --runs whole/runs --jobs 2
    equal 4 "$(grep -c '^\[' err)"
}
check "tables share runs; --status runs nothing" shared

begun() { # from another run of the table, and with a teacher; in one seed only; not all is measured
    cat >begun.yaml <<'YAML'
seeds: [0, 1]
set: {train.max_steps: 5}
measure: {clean: val, loss: {run: val, show: [loss]}}
runs:
  - {name: fine, config: vit.yaml, init: before, measure: [loss]}
  - {name: pupil, config: vit.yaml, set: {model.distilled: true}, teacher: before, seeds: [1]}
first:
  - {name: before, config: vit.yaml, set: {train.lr: 2.0e-3}, seeds: [0]}
YAML
    runs table run begun.yaml --out begun --dry-run
    contains out '^fine +2 +[0-9]+ +[0-9.]+ '
    contains out '^before +1 '
    contains out '^0 of 8 trainings and measurements are there'
    [ ! -e begun ] || wrong "a dry run wrote something"
    runs table run begun.yaml --out begun --runs begun/trained
    equal 4 "$(grep -c '^\[.*train: ' err)"
    contains out '^fine +- +-  +[0-9.]+ ± '
    contains out '^pupil +[0-9.]+ \(1\)'
    before=$(grep -l '"train: before' begun/trained/*/trained.json)
    before=${before%/trained.json}
    equal 2 "$(grep -l "\"--init\", \"$before\"" begun/trained/*/trained.json | wc -l)"
    equal 1 "$(grep -l "train.teacher=$before" begun/trained/*/trained.json | wc -l)"
    cp out begun/first
    for after in 0.2 0.6 1.2; do
        "$foci" table run begun.yaml --out torn >/dev/null 2>&1 &
        pid=$!
        sleep $after
        kill -KILL $pid 2>/dev/null || true
        wait $pid || true
    done
    runs table run begun.yaml --out torn
    same begun/first out
    runs table run begun.yaml --out begun --runs begun/trained
    lacks err '^\['
    same begun/first out
}
check "runs that begin from others" begun

shifted() { # measured with other keys than it was trained with
    cat >shifted.yaml <<'YAML'
seeds: [0, 1]
set: {train.max_steps: 20}
measure: {clean: {run: val, show: [loss]}}
runs:
  - {name: as trained, config: vit.yaml}
  - {name: median, config: vit.yaml, eval_set: {attention.reduce: median}, baseline: as trained}
YAML
    runs table run shifted.yaml --out shifted --runs whole/runs
    lacks err 'train: '
    equal 4 "$(grep -c '^\[' err)"
    contains out '^median less as trained$'
    grep -h '"command"' shifted/results/*/val-*.json >commands
    equal 2 "$(grep -c '"--set", "attention.reduce=median", "--json"' commands)"
    sed -i 's/reduce: median/reduce: most/' shifted.yaml
    fails_like 2 'shifted.yaml: run `median`: .*attention.reduce.*most.*' table run shifted.yaml --out shifted --dry-run
}
check "a run that is measured otherwise" shifted

joined() { # one row of two configs, and the mean of what was measured of both
    cat >joined.yaml <<'YAML'
seeds: [0, 1]
set: {train.max_steps: 20}
baseline: softmax
measure: {one: {run: val, show: [top1]}, two: {run: val, show: [top1]}, both: {mean: [one, two]}}
runs:
  - {name: softmax, config: vit.yaml, set: {attention.kind: softmax}, measure: [one]}
  - {name: softmax, config: vit.yaml, set: {attention.kind: softmax, train.lr: 2.0e-3}, measure: [two]}
  - {name: elliptical, config: vit.yaml, measure: [one]}
  - {name: elliptical, config: vit.yaml, set: {train.lr: 2.0e-3}, measure: [two], seeds: [1]}
YAML
    runs table run joined.yaml --out joined --runs whole/runs
    equal 3 "$(grep -c '^\[.*train: ' err)"
    equal 7 "$(wc -l <joined/table.csv)"
    awk -F, '$1 == "\"softmax\"" { x[NR] = $NF } END { d = (x[2] + x[3]) / 2 - x[4]; exit d * d > 1e-9 }' joined/table.csv ||
        wrong "a wrong mean"
    contains joined/table.csv '^"elliptical","both",top1,%,1,'
    contains joined/table.csv '^"elliptical","one",top1,%,2,.*,"softmax",2,'
}
check "one row of several configs" joined

came_along() { # results beside the table's file: they stand without runs and data, until there are others
    mkdir -p along
    sed "s,config: ,config: $PWD/," good.yaml >along/good.yaml
    runs table run good.yaml --out along/first --runs whole/runs --jobs 2
    mv along/first/results along/
    mv images elsewhere
    runs table run along/good.yaml --out along/out --runs along/runs
    mv elsewhere images
    same first out
    lacks err '^\['
    [ ! -e along/runs ] || wrong "something was trained"
    rm "$(find along/results -name 'val-*' | sort | head -n 1)"
    runs table run along/good.yaml --out along/out --runs along/runs --jobs 2
    equal 2 "$(grep -c '^\[' err)"
    equal 1 "$(grep -c '^\[.*train: ' err)"
    same first out
    cp -r whole along/others
    for run in along/others/runs/*; do
        grep -q 'kind: softmax' "$run/config.yaml" || cp "$run/best.safetensors" other.safetensors
    done
    for run in along/others/runs/*; do cp other.safetensors "$run/best.safetensors"; done
    runs table run along/good.yaml --out along/out --runs along/others/runs
    [ "$(grep -c '^\[.*clean: ' err)" -ge 2 ] || wrong "results of other weights were taken"
}
check "results that came with the table's file" came_along

claims() { # held against the interval of the difference; several tables in one page
    mkdir -p claimed
    cat >claimed/t1.yaml <<YAML
title: One
seeds: [0, 1, 2]
set: {train.max_steps: 5}
baseline: small
measure:
  size: {run: "bench:steps=1,batch=4", show: [gflop, parameters, plan_mb]}
  clean: {run: val, show: [top1]}
runs:
  - {name: small, config: $PWD/vit.yaml, measure: [size]}
  - {name: large, config: $PWD/vit.yaml, set: {model.embed_dim: 32}, measure: [size]}
claims:
  - {claim: Larger is dearer, run: large, in: [size.gflop]}
  - {claim: By less than tenfold, run: large, in: [size.gflop, size.plan_mb], margin: 900}
  - {claim: By less than a tenth, run: large, in: [size.gflop], margin: 10}
  - {claim: Smaller is cheaper, run: small, than: large, in: [size.gflop]}
  - {claim: It learns, run: large, in: [clean.top1]}
  - {claim: Elsewhere, untestable: there is no <data> of it}
facts: [a fact & another]
YAML
    sed 's/^title: One/title: Two/; s/^seeds: .*/seeds: [3]/; /Elsewhere/d' claimed/t1.yaml >claimed/t2.yaml
    runs table run claimed/t1.yaml --out o1 --runs r
    contains out '^Larger is dearer: does not hold$'
    contains out '^Elsewhere: not testable at this scale$'
    contains o1/table.html '>Larger is dearer: does not hold</h3>'
    contains o1/table.html '>By less than tenfold: holds</h3>'
    contains o1/table.html '>Smaller is cheaper: holds</h3>'
    contains o1/table.html 'small: size GFLOP/step, beside large</th><td><svg .*fill="var\(--c2\)".*</svg></td><td class="words">holds</td>'
    contains o1/table.html 'worse \| better<small>up to 204 %</small>'
    contains o1/table.html 'at most 900 % worse'
    contains o1/table.html '>It learns: not measured</h3>'
    runs table run claimed/t2.yaml
    runs table report claimed --results o1/results --out claimed/r.html
    equal '2 tables in claimed/r.html' "$(cat out)"
    contains claimed/r.html 'large: size GFLOP/step<small><a href="#claimed-t2">t2.yaml</a></small></th><td></td><td class="words">not measured</td><td>–'
    runs table run claimed/t2.yaml --out o1
    runs table report claimed --results o1/results --out claimed/r.html
    contains claimed/r.html '>Larger is dearer: does not hold</h3>'
    contains claimed/r.html 'large: size GFLOP/step<small><a href="#claimed-t2">t2.yaml</a></small></th><td></td><td class="words">one seed, no interval'
    contains claimed/r.html '>Elsewhere: not testable at this scale</h3>'
    contains claimed/r.html 'there is no &lt;data&gt; of it'
    contains claimed/r.html '<li>a fact &amp; another \(<a href="#claimed-t1">One</a>\)</li>'
    lacks claimed/r.html 'https?:|src=|@import|url\('
    runs table report claimed/t2.yaml claimed/t1.yaml --results o1/results --out claimed/r.md
    contains claimed/r.md '^\*\*By less than a tenth: does not hold\.\*\*$'
    contains claimed/r.md '^- a fact & another \(t1.yaml\)$'
    contains claimed/r.md '^\| t1.yaml \| large: size GFLOP/step \| \+[0-9.]+ \(\+[0-9.]+ %\) \| \+[0-9.]+ to \+[0-9.]+ \| 3 \| does not hold \|$'
    runs table report claimed --results o1/results --out claimed/r.svg
    contains claimed/r.svg '>Smaller is cheaper</text>.*>holds</text>.*>small: size GFLOP/step, beside large</text>.*fill="var\(--c2\)"'
    contains claimed/r.svg '>It learns</text>.*>not measured</text>$'
    lacks claimed/r.svg 'src=|href=|@import|url\('
    fails_like 2 '--out x.pdf: a report is an .html, an .md or an .svg' table report claimed --out x.pdf
    fails_like 2 'none: No such file or directory' table report none
    mkdir empty
    fails_like 2 'there is no table in empty' table report empty
}
check "claims, and a page of several tables" claims

looked_at() { # maps of attention, and curves over what measurements differ in
    cat >looked.yaml <<'YAML'
set: {train.max_steps: 5}
measure:
  maps: {run: "analyze:limit=2,maps=2", show: [effective_rank]}
  layer 0: {run: "analyze:limit=2,layer=0", show: [token_cosine]}
  layer 1: {run: "analyze:limit=2,layer=1", show: [token_cosine]}
  size 16: {run: "bench:steps=1,batch=2,model.img_size=16", show: [plan_mb]}
  size 32: {run: "bench:steps=1,batch=2,model.img_size=32", show: [plan_mb]}
  size 48: {run: "bench:steps=1,batch=2,model.img_size=48", show: [plan_mb]}
runs:
  - {name: softmax, config: vit.yaml, set: {attention.kind: softmax}}
  - {name: elliptical, config: vit.yaml}
YAML
    runs table run looked.yaml --out looked
    equal 6 "$(grep -o 'data:image/png;base64' looked/table.html | wc -l)"
    equal 64 "$(grep -o 'class="lit"' looked/table.html | wc -l)"
    contains looked/table.html '<figcaption>size: planned, MB</figcaption>'
    lacks looked/table.html '<figcaption>layer: '
    sed -n 's/.*base64,\([^"]*\)".*/\1/p' looked/table.html | head -n 1 | base64 -d | head -c 4 | tail -c 3 >magic
    equal PNG "$(cat magic)"
    runs analyze "$(find looked/runs -mindepth 1 -maxdepth 1 | head -n 1)" --limit 2 --maps 1 --json
    awk 'match($0, /"attention":\[\[[^]]*\]/) { n = split(substr($0, RSTART + 14, RLENGTH - 15), x, ",") } END { exit n != 4 }' out ||
        wrong "not four patches a row"
}
check "attention maps and curves" looked_at

state() { # what foci table list says
    mkdir -p here/configs/tables/small
    sed "s,: images,: $PWD/images,g" vit.yaml >here/vit.yaml
    for f in here/configs/tables/t01-good.yaml here/configs/tables/small/t01-good.yaml; do
        sed "s,config: ,config: $PWD/here/,; s/seeds: .*/seeds: [0]/" good.yaml >$f
    done
    sed -i 's/seeds: .*/seeds: [1, 0]/' here/configs/tables/t01-good.yaml
    cd here
    runs table run configs/tables/small/t01-good.yaml
    ls tables/small/t01-good/table.md tables/runs/*/trained.json
    runs table list
    contains out '^configs/tables/t01-good.yaml +A table of'
    contains out '^    4 of 8 done, last 20[0-9-]+ [0-9:]+ UTC by foci 0'
    contains out '^    4 of 4 done, last '
    cp configs/tables/small/t01-good.yaml configs/tables/small/t02-same.yaml
    runs table run configs/tables/small/t02-same.yaml # all was measured for the other
    lacks err '^\['
    cd ..
}
check "what a list says of each table" state

sweep() {
    runs sweep vit.yaml --vary attention.kind=softmax,elliptical --vary train.seed=0,1 --measure val --set train.max_steps=20 --out s --runs whole/runs
    lacks err 'train:'
    contains out '^softmax +[0-9.]+ ± '
    contains out '^elliptical +[0-9.]+ ± '
    runs sweep vit.yaml --vary train.lr=1.0e-3,2.0e-3 --vary attention.scale=max,mean --measure val,bench:steps=1,batch=4 --set train.max_steps=5 --out s2
    contains out '^lr 1.0e-3, max '
    contains out '^lr 2.0e-3, mean '
    contains out 'items/s'
}
check "sweeps" sweep

wrong_files() {
    fails 2 "none.yaml: No such file or directory" table run none.yaml
    bad() { # MESSAGE TEXT
        printf '%b' "$2" >bad.yaml
        fails_like 2 "$1" table run bad.yaml --out bad
    }
    run='runs: [{name: a, config: vit.yaml}]\n'
    bad 'bad.yaml: the file is empty' ''
    bad 'bad.yaml: `measure` is missing' "$run"
    bad 'bad.yaml: `runs` is missing' 'measure: {clean: val}\n'
    bad 'bad.yaml:1:1: unknown `mesure`: a table has .*' "mesure: {clean: val}\n$run"
    bad 'bad.yaml:1:18: there is no measurement `vla`: val, test.*' "measure: {clean: vla}\n$run"
    bad 'bad.yaml:1:18: measurement pgd needs eps.*' "measure: {clean: pgd}\n$run"
    bad 'bad.yaml:1:18: measurement val has no option `eps`.*' "measure: {clean: \"val:eps=1\"}\n$run"
    bad 'bad.yaml:1:18: there is no result named `top3`' "measure: {clean: {run: val, show: [top3]}}\n$run"
    bad 'bad.yaml:2:1: duplicate `measure`; the first is in line 1' "measure: {clean: val}\nmeasure: {clean: val}\n$run"
    bad 'bad.yaml:[0-9:]+: a second run is named `a`, and they share a measurement' 'measure: {clean: val}\nruns: [{name: a, config: vit.yaml}, {name: a, config: vit.yaml}]\n'
    bad 'bad.yaml:[0-9:]+: nope.yaml is not there' 'measure: {clean: val}\nruns: [{name: a, config: nope.yaml}]\n'
    rows() { bad "bad.yaml:[0-9:]+: $1" "seeds: [0, 1]\nmeasure: {clean: val}\nruns: [{name: a, config: vit.yaml}, {name: b, config: vit.yaml, $2}]\n"; }
    rows '`72` is not a number and a mark, .*' 'paper: {clean.top1: 72}'
    rows '`72 guessed` is not a number and a mark, .*' 'paper: {clean.top1: 72 guessed}'
    rows 'the table has no seed 2' 'seeds: [0, 2]'
    rows 'a run needs a seed' 'seeds: []'
    rows 'the table has no measurement `PGD`' 'measure: [PGD]'
    rows 'no run with a config is named `c`' 'init: c'
    rows '`b` begins from another run itself' 'teacher: b'
    rows '`x` is no number of images or tokens' 'items: x'
    rows 'unknown `first`: a run has .*' 'first: a'
    measures() { bad "bad.yaml:[0-9:]+: $1" "measure: {clean: val, $2}\n$run"; }
    measures 'the table has no measurement `x`' 'both: {mean: [clean, x]}'
    measures 'a mean of nothing' 'both: {mean: []}'
    measures 'a mean of means' 'both: {mean: [clean]}, all: {mean: [both]}'
    measures '`loss` shows other results than `clean`' 'loss: {run: val, show: [loss]}, both: {mean: [clean, loss]}'
    measures 'measurement `both` needs either run, .*' 'both: {mean: [clean], run: val}'
    bad 'bad.yaml:[0-9:]+: a run needs a name, and a config or published figures' 'measure: {clean: val}\nruns: [{name: a}]\n'
    bad 'bad.yaml:[0-9:]+: unknown `paper`: a run has .*' "measure: {clean: val}\n${run}first: [{name: b, config: vit.yaml, paper: {clean.top1: 1 log}}]\n"
    claim() { bad "bad.yaml:[0-9:]+: $1" "measure: {clean: val}\nruns: [{name: a, config: vit.yaml}, {name: b, config: vit.yaml, baseline: a}]\nclaims: [{claim: c, $2}]\n"; }
    claim 'a claim needs claim, run and in, or claim and untestable' 'run: b'
    claim 'a claim needs claim, .*' 'run: b, in: [clean.top1], untestable: x'
    claim 'no run with a config is named `c`' 'run: c, in: [clean.top1]'
    claim 'measurement `clean` shows no `mce`' 'run: b, in: [clean.mce]'
    claim '`a` has no baseline; `than` names another run' 'run: a, in: [clean.top1]'
    claim '`-1` is no margin: .*' 'run: b, in: [clean.top1], margin: -1'
    claim 'unknown `runs`: a claim has .*' 'runs: b'
    bad 'bad.yaml:1:12: seed 1 stands here twice' "seeds: [1, 1]\nmeasure: {clean: val}\n$run"
    bad 'bad.yaml:[0-9:]+: .*clean.top2.*|bad.yaml:[0-9:]+: measurement `clean` shows no `top2`' 'measure: {clean: val}\nruns: [{name: a, config: vit.yaml, paper: {clean.top2: 1}}]\n'
    bad 'bad.yaml: run `a`: .*attention.kind.*' 'measure: {clean: val}\nruns: [{name: a, config: vit.yaml, set: {attention.kind: nosuch}}]\n'
    bad 'bad.yaml:[0-9:]+: .*' 'measure: {clean: val\n'
    [ ! -e bad/results ]
    fails_like 2 '--vary: `lr` is not KEY=A,B,...' sweep vit.yaml --vary lr
    fails_like 2 '--vary: an empty value in .*' sweep vit.yaml --vary train.lr=1,,2
    fails_like 2 '--measure: there is no measurement `valid`.*' sweep vit.yaml --measure valid
}
check "wrong files and arguments" wrong_files

listed() {
    (cd "$root" && "$foci" table list) >out
    for number in 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21; do
        contains out "^configs/tables/t$number-[a-z0-9-]+\.yaml +"
    done
    for number in 1 3 4 5 6 7; do contains out "^configs/tables/f0$number-[a-z0-9-]+\.yaml +"; done
    grep '^configs/' out | sed 's/ .*//' >shown
    { grep -v /small/ shown | LC_ALL=C sort && grep /small/ shown | LC_ALL=C sort; } | diff - shown
    for file in "$root"/configs/tables/*.yaml; do # a twin for each
        [ -f "$root/configs/tables/small/${file##*/}" ] || wrong "no small ${file##*/}"
    done
    for file in "$root"/configs/tables/*.yaml "$root"/configs/tables/small/*.yaml; do
        runs table run "$file" --status --out listed
        runs table run "$file" --dry-run --out listed
    done
}
check "the tables that come with foci" listed
finish
