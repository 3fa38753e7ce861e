#!/bin/sh
# lib.sh itself: each of its words fails where it should, and a failure anywhere in a test fails the script.
. "$(dirname "$0")/lib.sh"

mkdir -p tests/cli
script() { # LINE...: runs a script of these lines; leaves its output in `said` and its exit code in $code
    printf '%s\n' ". '$root/tests/cli/lib.sh'" "$@" finish >tests/cli/script.sh
    code=0
    FOCI=$foci sh tests/cli/script.sh >said 2>&1 || code=$?
}
accepts() {
    script "$@"
    equal "0 [       OK ] t" "$code $(grep 't$' said | tail -n 1)"
}
refuses() { # and names the test twice, as cmocka does
    script "$@"
    equal "1 2" "$code $(grep -c '^\[  FAILED  \] t$' said)"
}
json_works() {
    equal 'a b|1 "x" absent' "$(echo '{"a": 1, "b": "\"x\""}' | json)|$(echo '{"a": 1, "b": "\"x\""}' | json a b c)"
    printf '{"a": 1}\n{"a": \n' >x
    code=0
    json a <x >/dev/null 2>&1 || code=$?
    equal 1 $code
}
check "json: names and values" json_works

check "what is right" accepts 'echo a >x; f() { runs --help; fails 2 "no command"; fails_like 2 "no .*"; exits 2; equal a "$(cat x)"; same x x; contains x a; lacks x b; }' 'check t f'
check "runs" refuses 'check t runs nope'
check "exits: the code" refuses 'check t exits 3 nope'
check "fails: the code" refuses 'check t fails 3 "no command"'
check "fails: the message" refuses 'check t fails 2 "no commands"'
check "fails: output" refuses 'check t fails 0 "" --help'
check "fails_like: the message" refuses 'check t fails_like 2 "comm"'
check "equal" refuses 'check t equal a b'
check "same" refuses 'echo a >x; echo b >y' 'check t same x y'
check "contains" refuses 'echo a >x' 'check t contains x b'
check "lacks" refuses 'echo a >x' 'check t lacks x a'
check "json: no object" refuses 'echo "[1]" >x; json() { "'"$work"'/json" "$@"; }; f() { json <x; }' 'check t f'
check "a failure in the midst of a test" refuses 'f() { false; true; }' 'check t f'
check "a failure in a loop" refuses 'f() { for i in 1 2; do equal 1 $i; done; true; }' 'check t f'
check "a failure before others that pass" refuses 'check t false; check u true'
finish
