#!/bin/sh
# The README's worked example, taken from the README itself: one new file in src/attention and one line in list.h, and the
# variant is listed, trains, and its key is checked. Built in a copy of the tree, so that only what changed is compiled.
. "$(dirname "$0")/lib.sh"
. "$root/tests/cli/tree.sh"

extracted() {
    tree
    add README.md tempered.c src/attention/tempered.c
    line README.md 'FOCI_ATTENTION(tempered)' src/attention/list.h
    printf 'src/attention/list.h\nsrc/attention/tempered.c\n' >expected
    touched >changed
    same expected changed
}
listed() {
    runs list attention
    contains out '^tempered '
}
trains() {
    cat >t.yaml <<'YAML'
name: t
model: {kind: lm, vocab: 50, context: 16, d_model: 16, depth: 2, num_heads: 2, d_inner: 32}
attention: {kind: tempered, temperature: 2}
train: {batch_size: 4}
YAML
    runs bench t.yaml --steps 3 --json
    contains out '"step_ms"'
}
bounded() { fails_like 2 '.*attention.temperature.*' bench t.yaml --set attention.temperature=0; }
swept() { # and it is measured like any other
    runs sweep t.yaml --vary attention.kind=softmax,tempered --measure bench:steps=2 --out swept
    contains out '^tempered '
    contains swept/table.html '>tempered<'
}
check "the README has the example" extracted
check "it builds" build_tree
foci=$tree_foci
check "foci list attention shows it" listed
check "it trains" trains
check "its key is checked" bounded
check "a sweep measures it" swept
finish
