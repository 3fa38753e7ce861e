#!/bin/sh
# `foci list` names what is built in: every line of the list.h of each room.
. "$(dirname "$0")/lib.sh"

lists() { # WHAT ROOM MACRO
    runs list "$1"
    sed -n "s/^$3(\([a-z0-9_]*\).*/\1/p" "$root/src/$2/"*list.h | sort >expected
    [ -s expected ] || wrong "no entries in a list.h of src/$2"
    equal "$(cat expected)" "$(sed 's/ .*//' out | sort)"
    lacks out '^[a-z_]+ *$' # each has a summary
}
check "models" lists models models FOCI_MODEL
check "attention" lists attention attention FOCI_ATTENTION
check "operations" lists ops ops FOCI_OP
check "data sets" lists data task FOCI_DATA_SET
recipes() {
    runs list recipes
    equal "deit gpt2 llama-small lra wikitext103" "$(sed 's/ .*//' out | tr '\n' ' ' | sed 's/ $//')"
    lacks out '^[a-z0-9_]+ *$'
}
check "recipes" recipes
attacks() { # their list stands in a room that has others
    runs list attacks
    equal "$(sed -n 's/^FOCI_ATTACK(\([a-z_]*\)).*/\1/p' "$root/src/attack/list.h")" "$(sed 's/ .*//' out)"
    lacks out '^[a-z_]+ *$'
}
check "attacks" attacks
chosen() { # every attention that is listed works in both models
    make_images
    make_text
    runs list attention
    cp out kinds
    while read -r kind causal _; do
        for config in vit lm; do
            sed "s/^attention: .*/attention: {kind: $kind}/" $config.yaml >c.yaml
            if [ "$config$causal" = lm- ]; then
                fails_like 2 ".*c.yaml:[0-9]*:[0-9]*: attention.kind $kind has no causal form.*" train c.yaml --dry-run
            else
                runs train c.yaml --dry-run
            fi
        done
    done <kinds
}
check "each attention can be chosen" chosen
contaminations() { # their names may have hyphens
    runs list contaminations
    sed -n 's/^FOCI_CONTAMINATION(\([a-z_]*\).*/\1/p' "$root/src/shift/contaminations.h" | tr _ - | sort >expected
    equal "$(cat expected)" "$(sed 's/ .*//' out | sort)"
}
check "contaminations" contaminations
measures() { # every attack is one
    runs list measures
    { sed -n 's/^FOCI_MEASURE(\([a-z_]*\)).*/\1/p' "$root/src/measure/list.h" | sed 's/word_swap/word-swap/; s/corrupt_pixels/corrupt-pixels/'
      sed -n 's/^FOCI_ATTACK(\([a-z_]*\)).*/\1/p' "$root/src/attack/list.h"; } | sort >expected
    equal "$(cat expected)" "$(sed 's/ .*//' out | sort)"
    lacks out '^[a-z_-]+ *;'
    contains out '^word-swap +.*; options: rate, min, .*, checkpoint$'
    contains out '^bench +.*; options: steps, batch, data$'
}
check "measures" measures
bare() { # every list, by the command that shows it
    runs list
    equal 9 "$(wc -l <out | tr -d ' ')"
    sed 's/^foci list \([a-z]*\) .*/\1/' out >names
    for name in $(cat names); do
        runs list "$name"
        [ -s out ]
    done
}
check "the lists" bare
anywhere() { # far from the source of foci
    mkdir -p empty
    cd empty
    runs table list
    contains out '^There is no configs/tables here'
    contains out 'foci list measures$'
    fails_like 2 'nowhere: No such file or directory' table list nowhere
}
check "tables where none are" anywhere
check "what is not listed" fails 2 'there is no list `x`; there are models, attention, ops, data, recipes, measures, attacks, contaminations, corruptions' list x
finish
