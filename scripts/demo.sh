#!/bin/sh
# The main job on built-in data: a ViT and a language model, each with dot-product and with Elliptical Attention.
# `make demo` calls this; FOCI names the binary, OUT the folder of the runs (default: runs/demo).
set -eu
cd "$(dirname "$0")/.."
: "${FOCI:=build/foci}" "${OUT:=runs/demo}"

"$FOCI" data make images data/demo/images
"$FOCI" data make text data/demo/text

for name in vit vit-elliptical lm lm-elliptical; do
    rm -rf "${OUT:?}/$name"
    "$FOCI" train "configs/demo/$name.yaml" --out "$OUT/$name"
done

# number KEY: the number after "KEY": on standard input, rounded to two places
number() { sed -n "s/.*\"$1\": *\([-+0-9.eE]*\).*/\1/p" | awk '{ printf "%.2f", $1 }'; }
row() { printf '%-22s %-12s %14s %14s\n' "$@"; }

echo
row "images (ViT)" attention "top-1, %" "top-5, %"
for name in vit vit-elliptical; do
    score=$("$FOCI" eval "$OUT/$name" --json)
    case $name in *-elliptical) attention=elliptical ;; *) attention=softmax ;; esac
    row "" "$attention" "$(echo "$score" | number top1)" "$(echo "$score" | number top5)"
done
echo
row "text (language model)" attention "valid ppl" "test ppl"
for name in lm lm-elliptical; do
    case $name in *-elliptical) attention=elliptical ;; *) attention=softmax ;; esac
    row "" "$attention" "$("$FOCI" eval "$OUT/$name" --split valid --json | number ppl)" \
        "$("$FOCI" eval "$OUT/$name" --split test --walk sliding --json | number ppl)"
done
row "" "unigram words" "" "$("$FOCI" data stats configs/demo/lm.yaml | sed -n 's/^data.test.*unigram perplexity //p')"
