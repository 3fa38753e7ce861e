#!/bin/sh
# Trains every attention that `foci list attention` names for the epochs of a config, in float32 and bf16: with one
# thread, and with three threads killed (-9) halfway and resumed. Losses must be finite and the weights the same bits.
# One line a run; ends with a line that counts them, or with 1.
#
#   FOCI=build/foci tests/epoch.sh CONFIG [KEY=VALUE...]     in an empty folder; KINDS="a b" for some of them
#
# For real data (an epoch of CIFAR-10, of Brown); tests/cli/test_attention.sh does the like in seconds.
set -u
config=$1
shift
sets=
for set; do sets="$sets --set $set"; done
"$FOCI" list attention >kinds.txt || exit 1
text=$(grep -q 'kind: text' "$config" && echo 1)
passed=0 failed=0

losses() { grep -o '"loss": [^,}]*' "$1/metrics.jsonl"; }
run() { # OUT OPTION...
    out=$1
    shift
    "$FOCI" train "$config" --out "$out" $sets "$@" 2>>err.txt
}
killed() { # OPTION...: killed when half of the losses of `whole` are there
    half=$(($(losses whole | wc -l) / 2))
    "$FOCI" train "$config" --out cut $sets --threads 3 "$@" 2>>err.txt &
    pid=$!
    until [ -e cut/state.safetensors ] && [ "$(losses cut 2>/dev/null | wc -l)" -ge "$half" ]; do
        kill -0 $pid 2>/dev/null || break
        sleep 0.02
    done
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    run cut --threads 3 "$@" --resume
}
one() { # KIND DTYPE
    rm -rf whole cut
    keys="--set attention.kind=$1 --set train.dtype=$2 --set train.checkpoint_every=20"
    run whole --threads 1 $keys || return 1
    losses whole | grep -qi 'nan\|inf\|null' && return 1
    killed $keys || return 1
    cmp whole/last.safetensors cut/last.safetensors
}
while read -r kind causal _; do
    [ "${KINDS:-$kind}" = "$kind" ] || case " ${KINDS:-} " in *" $kind "*) ;; *) continue ;; esac
    [ "$causal" = causal ] || [ ! "$text" ] || continue
    for dtype in fp32 bf16; do
        : >err.txt
        if one "$kind" $dtype >out.txt 2>&1; then
            passed=$((passed + 1)) word=ok
        else
            failed=$((failed + 1)) word=FAILED
        fi
        echo "$kind $dtype: $word, $(losses whole | tail -n 1)"
        [ $word = ok ] || tail -n 3 out.txt err.txt
    done
done <kinds.txt
echo "$passed passed, $failed failed"
[ $failed = 0 ]
