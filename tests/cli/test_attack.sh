#!/bin/sh
# `foci attack` on a small model trained for a moment.
. "$(dirname "$0")/lib.sh"

trained() {
    make_images
    runs train vit.yaml --out run --set train.max_steps=60 --set model.embed_dim=24
}
check "a run to attack" trained

attack() { # ARGUMENT...: one JSON object per method and eps in the file out
    runs attack run --json "$@"
}
# The value of KEY in line N of the file out.
value() { sed -n "$2p" out | json "$1"; }
# Is A at most B?
at_most() { awk "BEGIN { exit !($1 <= $2) }" || wrong "$1 is more than $2"; }

reports() {
    attack --method fgsm,pgd --eps 1/255,0.03 --seed 4
    equal 4 "$(wc -l <out | tr -d ' ')"
    equal fgsm "$(value method 2)"
    equal pgd "$(value method 3)"
    equal pixel "$(value space 1)"
    equal valid "$(value clip 1)"
    equal true "$(value labels 1)"
    equal linf "$(value norm 1)"
    equal 4 "$(value seed 1)"
    equal 40 "$(value images 1)"
    equal 20 "$(value steps 3)"
    equal 0 "$(value outside 4)"
    equal 0.0039 "$(value eps 1 | cut -c 1-6)"
    at_most "$(value top1 2)" "$(value clean_top1 2)"
    at_most "$(value largest 4)" 0.030001
    runs eval run --json
    json top1 <out >clean
    json loss <out | cut -c 1-6 >>clean
    attack --method fgsm --eps 0.1
    equal "$(cat clean)" "$(value clean_top1 1; value clean_loss 1 | cut -c 1-6)"
}
check "reports what was measured, how" reports

nothing() {
    attack --method fgsm,pgd,apgd_ce,apgd_t,fab_t,autoattack --eps 0 --limit 10
    equal 6 "$(wc -l <out | tr -d ' ')"
    for i in 1 2 3 4 5 6; do
        equal "$(value clean_loss $i)" "$(value loss $i)"
        equal "$(value clean_top1 $i)" "$(value top1 $i)"
        equal 0.0 "$(value largest $i)"
    done
}
check "eps 0 changes nothing" nothing

# All but how long it took.
lasting() { sed 's/"seconds":[^,]*,"images_per_s":[^,]*,//' out; }
reproducible() {
    all="--method pgd,apgd_ce,spsa,square --steps 5 --samples 4 --eps 8/255 --limit 13"
    attack $all
    lasting >first
    attack $all --batch 3
    lasting >other
    same first other
    attack $all --batch 1 --threads 1
    lasting >other
    same first other
    attack $all --seed 1
    ! cmp -s first out || wrong "another seed gives the same"
}
check "the same bits for any batch and threads" reproducible

stronger() {
    attack --method pgd --eps 4/255 --steps 2
    few=$(value top1 1)
    attack --method pgd --eps 4/255 --steps 20
    many=$(value top1 1)
    at_most "$many" "$few + 2.5" # one image
    attack --method pgd --eps 4/255 --steps 20 --restarts 3
    at_most "$(value top1 1)" "$many"
    attack --method pgd,autoattack --eps 4/255 --limit 8
    at_most "$(value top1 2)" "$(value top1 1)"
}
check "more steps, more restarts, the ensemble: never weaker" stronger

options() {
    attack --method fgsm,pgd --eps 0.1 --norm l2 --space normalised --clip none --labels predicted --limit 9
    equal normalised "$(value space 1)"
    equal none "$(value clip 1)"
    equal predicted "$(value labels 2)"
    equal l2 "$(value norm 2)"
    at_most "$(value largest 2)" 0.1001
    attack --method pgd --eps 0.2 --targeted least --start image --loss margin --limit 9
    equal least "$(value targeted 1)"
    equal image "$(value start 1)"
    equal margin "$(value objective 1)"
    attack --method square,fgsm --eps 1/510 --steps 60
    equal 'standard null' "$(value schedule 1) $(value schedule 2)"
    cp out standard
    attack --method square --eps 1/510 --steps 60 --schedule rescaled
    equal rescaled "$(value schedule 1)"
    [ "$(sed -n 1p standard | json loss)" != "$(value loss 1)" ] || wrong "both schedules do the same"
    attack --method fgsm --eps 0.01 --set attention.reduce=median --limit 9
    equal attention.reduce=median "$(value set 1 | tr -d '[]" ')"
    runs attack run --method fgsm --eps 0.01 --limit 9
    contains out '^9 images, pixel space, clip valid, labels true, linf, seed 0$'
    contains out '^fgsm +0.010000 '
}
check "options" options

interrupted() { # in the midst of a long batch
    rm -f out
    "$foci" attack run --method spsa --eps 1/255 --steps 100000 >out 2>err &
    pid=$!
    while kill -0 $pid && [ ! -s out ]; do sleep 0.1; done
    kill -TERM $pid
    code=0
    wait $pid || code=$?
    equal 75 "$code"
    contains err '^foci: interrupted after 0 images$'
}
check "an interrupted attack ends soon" interrupted
# In a file of rows: everything but how long it took is the same as without, and the same again when it was cut off.
kept() {
    how="--method pgd,square,fgsm --eps 1/255,4/255 --steps 5 --batch 7"
    attack $how
    lasting >plain
    attack $how --out rows.csv
    lasting >whole
    same plain whole
    cp rows.csv all.csv
    equal $((2 + 3 * 2 * 40)) "$(wc -l <rows.csv | tr -d ' ')"
    contains rows.csv '^# foci attack \{"weights": "[0-9a-f]{16}", "config": "[0-9a-f]{16}", "data": "val [0-9]+ files, [^"]*", "space": "pixel", .*"seed": 0, .*"method": \["pgd", "square", "fgsm"\], "eps": \[0.00392'
    equal 'method,eps,image,label,clean,attacked,target,distance,clean_rank,rank,clean_loss,loss,left_ball' "$(sed -n 2p rows.csv)"
    contains rows.csv '^pgd,0.0039215686274509803,"([a-z-]+)/[0-9]+\.(png|jpg)","\1","[a-z-]+","[a-z-]+",,0.0039'
    awk -F, -v top1="$(value top1 1)" 'NR > 2 && NR < 43 { n += $10 == 1 } END { exit !(100 * n / 40 == top1 + 0) }' rows.csv ||
        wrong "the rows do not add up to top1"
    for bytes in 700 9000 20000; do
        head -c $bytes all.csv >rows.csv
        attack $how --out rows.csv
        lasting >again
        same plain again
        same all.csv rows.csv
    done
    contains err '^rows.csv: pgd of 40 images is there$'
    attack $how --out rows.csv --batch 40 --threads 1 # nothing is left to do
    lasting >again
    same plain again
    contains out '"images_per_s":0.0'
    for other in "--seed 1" "--limit 9" "--norm l2" "--set attention.reduce=median" "--checkpoint run/last.safetensors"; do
        fails_like 2 'rows.csv belongs to `foci attack \{.*: name another file, or remove it' attack run $how --out rows.csv $other
        same all.csv rows.csv
    done
    fails 2 'vit.yaml: there is another file; name one that is not there' attack run $how --out vit.yaml
    fails_like 6 'nowhere/rows.csv: No such file or directory' attack run $how --out nowhere/rows.csv
}
check "--out keeps a row an image, and goes on from them" kept

killed() { # in the midst, by a signal and for good: the rows stay, and the same command ends as if nothing had been
    how="--method spsa --eps 4/255 --steps 40 --samples 32 --batch 2"
    attack $how --out never.csv
    lasting >never
    for signal in INT KILL; do
        rm -f rows.csv
        (trap - INT; exec "$foci" attack run $how --out rows.csv) >out 2>err &
        pid=$!
        while kill -0 $pid 2>/dev/null && [ "$(wc -l <rows.csv 2>/dev/null || echo 0)" -lt 6 ]; do sleep 0.02; done
        kill -$signal $pid
        wait $pid 2>/dev/null || true
        [ "$(wc -l <rows.csv)" -lt 42 ] || wrong "it was done already"
        [ $signal = KILL ] || contains err '^foci: interrupted after [0-9]+ images; the same command goes on from rows.csv$'
        attack $how --out rows.csv
        lasting >again
        same never again
        tail -n +2 never.csv >a
        tail -n +2 rows.csv >b
        same a b
    done
}
check "--out after Ctrl-C and kill" killed

mistakes() {
    fails 2 '--method is missing; `foci list attacks` names them' attack run --eps 0.1
    fails 2 '--eps is missing' attack run --method fgsm
    fails 2 '--method: there is no attack `bim`; `foci list attacks` names them' attack run --method fgsm,bim --eps 0.1
    for eps in x 1/ 1/0 1/255/2 nan inf; do
        fails 2 "--eps: \`$eps\` is not a number" attack run --method fgsm --eps "$eps"
    done
    for eps in '' '0.1,'; do
        fails 2 '--eps: no value; write a number or leave the key out' attack run --method fgsm --eps "$eps"
    done
    fails 2 '--eps: `-1` is out of bounds: 0 or more' attack run --method fgsm --eps -1
    fails 2 '--eps: `1e999` is too large' attack run --method fgsm --eps 1e999
    fails 2 '--space: `rgb` is not one of normalised, pixel; did you mean `pixel`?' attack run --method fgsm --eps 0.1 --space rgb
    fails 2 'square has no targeted form' attack run --method square --eps 0.1 --targeted least
    fails 2 'autoattack has no choice of schedule' attack run --method square,autoattack --eps 0.1 --schedule rescaled
    fails 2 'spsa has no choice of loss' attack run --method spsa --eps 0.1 --loss dlr
    fails 2 '--limit: `-1` is out of bounds: 0 to 1e+09' attack run --method fgsm --eps 0.1 --limit -1
    fails 2 'vit.yaml is no run folder: --checkpoint must name the weights' attack vit.yaml --method fgsm --eps 0.1
    printf x >broken.safetensors
    fails_like 4 'broken.safetensors: .*' attack run --method fgsm --eps 0.1 --checkpoint broken.safetensors
    make_text
    fails_like 2 '.*model.kind: lm on text has no images to attack' attack lm.yaml --checkpoint broken.safetensors --method fgsm --eps 0.1
}
check "mistakes" mistakes
finish
