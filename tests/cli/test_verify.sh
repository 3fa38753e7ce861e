#!/bin/sh
# `foci verify` passes what is right, fails what is not, and says what it does not know.
. "$(dirname "$0")/lib.sh"

golden=$root/tests/golden
all_pass() {
    runs verify "$golden"/*.json
    contains out "^$(ls "$golden"/*.json | wc -l | tr -d ' ') passed, 0 failed, 0 skipped\$"
    lacks out FAILED
}
check "the golden cases pass" all_pass

bf16() { # within wider tolerances, and not the numbers of float32
    runs verify "$golden"/*.json --dtype bf16
    contains out ' passed, 0 failed, 0 skipped$'
    grep ' logits ' out >rounded
    runs verify "$golden"/*.json
    ! grep ' logits ' out | cmp -s - rounded || wrong "bf16 gives the differences of fp32"
}
if "$foci" verify "$golden/units.json" --dtype bf16 >/dev/null 2>&1; then
    check "the golden cases pass in bf16" bf16
else
    check "bf16 on a processor without it" fails 2 '--dtype: this processor has no products in bf16 (AVX512-BF16)' verify "$golden/units.json" --dtype bf16
fi
check "an unknown dtype" fails 2 '--dtype: `fp8` is not one of fp32, bf16; did you mean `fp32`?' verify "$golden/units.json" --dtype fp8

copy() { cp "$golden/$1.json" case.json && cp "$golden/$1.safetensors" case.safetensors; }
changed_number() { # the loss is 1.81820642...
    copy small-vit
    sed 's/"loss": 1\.81820/"loss": 1.81830/' "$golden/small-vit.json" >case.json
    ! cmp -s case.json "$golden/small-vit.json" || wrong "nothing was changed"
    exits 1 verify case.json
    contains out '^ +loss .* FAILED$'
    equal 1 "$(grep -c '^ .* FAILED$' out)"
    contains out '^0 passed, 1 failed, 0 skipped$'
    equal "foci: 1 of 1 cases differ by more than their tolerance" "$(cat err)"
}
check "a changed number fails, and only its group" changed_number
changed_tensor() { # the last float of one expected tensor becomes 1
    copy units
    end=$(grep -ao '"expected\.layernorm\.eps6\.out":{[^}]*}' case.safetensors | sed 's/.*,\([0-9]*\)\]}$/\1/')
    header=$(od -An -tu4 -N4 case.safetensors | tr -d ' ')
    printf '\0\0\200\77' | dd of=case.safetensors bs=1 seek=$((8 + header + end - 4)) conv=notrunc 2>/dev/null
    exits 1 verify case.json
    contains out '^ +layernorm.eps6.out .* FAILED$'
    equal 1 "$(grep -c '^ .* FAILED$' out)"
}
check "a changed tensor fails" changed_tensor
tight() { # nothing is equal to 1e-300
    copy attention
    sed 's/"out": 2e-05/"out": 1e-300/' "$golden/attention.json" >case.json
    exits 1 verify case.json
    contains out '^ +out .* FAILED$'
}
check "the tolerance is that of the file" tight
unknown_kind() {
    copy small-vit
    sed 's/"kind": "vit"/"kind": "vat"/' "$golden/small-vit.json" >case.json
    runs verify case.json "$golden/units.json"
    contains out '^case +vat +skipped'
    contains out '^1 passed, 0 failed, 1 skipped$'
}
check "an unknown kind is skipped and counted" unknown_kind
as_json() {
    copy small-vit
    sed 's/"kind": "vit"/"kind": "vat"/' "$golden/small-vit.json" >case.json
    runs verify case.json "$golden/units.json" --json
    equal "cases passed failed skipped" "$(json <out)"
    equal "1 0 1" "$(json passed failed skipped <out)"
    equal 1 "$(wc -l <out | tr -d ' ')"
}
check "--json is one object" as_json
threads() {
    runs verify "$golden/small-vit.json" --threads 1
    cp out one
    runs verify "$golden/small-vit.json" --threads 2
    same one out
}
check "the differences do not depend on the threads" threads

check "no case" fails 3 'nope.json: No such file or directory' verify nope.json
no_tensors() {
    copy units
    rm case.safetensors
    fails 3 'case.safetensors: No such file or directory' verify case.json
}
check "a case without its tensors" no_tensors
no_json() {
    copy units
    echo '{"kind": ' >case.json
    fails_like 3 'case.json:[0-9]+.*' verify case.json
}
check "a case that is no JSON" no_json
cut_tensors() {
    copy units
    head -c 3000 "$golden/units.safetensors" >case.safetensors
    fails_like 3 'case.safetensors: .*cut short.*' verify case.json
}
check "tensors cut short" cut_tensors
finish
