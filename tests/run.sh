#!/bin/sh
# Runs every test program and script; the last line is "N passed, N failed". Exits 1 when one failed.
# BUILD: the build folder. ONLY: a part of the names to run. EMULATOR: what runs the programs, and no script.
set -u
cd "$(dirname "$0")/.."
BUILD=${BUILD:-build}
FOCI=$PWD/$BUILD/foci
export FOCI BUILD
# As foci does for itself: threads that wait spin only briefly.
export GOMP_SPINCOUNT="${GOMP_SPINCOUNT:-10000}"
export FOCI_CACHE="$PWD/$BUILD/tests/cache"
passed=0 failed=0
log=$BUILD/tests/output.txt
for t in $(find "$BUILD/tests" -type f -perm -u+x \( -name 'test_*' -o -name 'double_*' \) ! -name '*.d' | sort) tests/cli/test_*.sh; do
    [ -e "$t" ] || continue
    case $t in *"${ONLY:-}"*) ;; *) continue ;; esac
    case ${EMULATOR:+$t} in *.sh) continue ;; esac
    start=$(date +%s)
    case $t in *.sh) sh "$t" >"$log" 2>&1 ;; *) ${EMULATOR:-} "$t" >"$log" 2>&1 ;; esac
    status=$?
    ok=$(grep -c '^\[       OK \]' "$log")
    bad=$(grep -c '^\[  FAILED  \] [^0-9]' "$log")
    # cmocka names each failed test twice: where it happens and in its closing list
    bad=$(( (bad + 1) / 2 ))
    [ $status -ne 0 ] && [ "$bad" -eq 0 ] && bad=1
    [ $status -eq 0 ] && [ "$ok" -eq 0 ] && { echo "$t: ran no test"; bad=1; }
    passed=$((passed + ok)) failed=$((failed + bad))
    printf '%-44s %4d passed %3d failed %4ds\n' "${t#"$BUILD"/}" "$ok" "$bad" $(( $(date +%s) - start ))
    grep -a '^\[  SKIPPED \]\|^skipped:' "$log"
    if [ "$bad" -ne 0 ]; then tail -n 60 "$log"; fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
