#!/bin/sh
# The README's worked example, taken from the README itself: one new file in src/attention and one line in list.h, and the
# variant is listed, trains, and its key is checked. Built in a copy of the tree, so that only what changed is compiled.
set -u
here=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
check() { # NAME COMMAND...
    name=$1
    shift
    echo "[ RUN      ] $name"
    if "$@" >"$work/log" 2>&1; then echo "[       OK ] $name"; else cat "$work/log"; echo "[  FAILED  ] $name"; failed=1; fi
}
failed=0
build=${BUILD:-build}

extract() {
    cp -a "$here/Makefile" "$here/include" "$here/src" "$here/scripts" "$work/" &&
        mkdir -p "$work/$build" && cp -a "$here/$build/obj" "$here/$build"/*.stamp "$work/$build/" &&
        awk '/^```c tempered.c$/ { on = 1; next } /^```$/ { on = 0 } on' "$here/README.md" >"$work/src/attention/tempered.c" &&
        test -s "$work/src/attention/tempered.c" &&
        grep -q '^FOCI_ATTENTION(tempered)$' "$here/README.md" &&
        echo 'FOCI_ATTENTION(tempered)' >>"$work/src/attention/list.h"
}
build() {
    case $build in *-san) san=1 ;; *) san= ;; esac
    make -C "$work" BUILD="$build" SAN=$san "$build/foci"
}
foci() { (cd "$work" && "$build/foci" "$@"); }
trains() {
    cat >"$work/t.yaml" <<'EOF'
name: t
model: {kind: lm, vocab: 50, context: 16, d_model: 16, depth: 2, num_heads: 2, d_inner: 32}
attention: {kind: tempered, temperature: 2}
train: {batch_size: 4}
EOF
    foci bench t.yaml --steps 3 --json | grep -q '"step_ms"'
}
bounded() {
    foci bench t.yaml --set attention.temperature=0 2>"$work/err"
    [ $? = 2 ] && grep -q 'attention.temperature' "$work/err"
}
swept() { # and it is measured like any other
    foci sweep t.yaml --vary attention.kind=softmax,tempered --measure bench:steps=2 --out swept >"$work/out" 2>/dev/null &&
        grep -q '^tempered ' "$work/out" && grep -q '>tempered<' "$work/swept/table.html"
}
check "the README has the example" extract
check "it builds" build
check "foci list attention shows it" sh -c "cd '$work' && $build/foci list attention | grep -q '^tempered '"
check "it trains" trains
check "its key is checked" bounded
check "a sweep measures it" swept
exit $failed
