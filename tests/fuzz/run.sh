#!/bin/sh
# Fuzzes every reader for so many seconds (default 60), one after another: sh tests/fuzz/run.sh [SECONDS [NAME...]]
# `make fuzz T=SECONDS` builds them first. What is found lies in BUILD/found, the inputs that were worth keeping in
# BUILD/corpus/NAME; nothing in the tree changes. Exits 1 when something was found.
set -u
cd "$(dirname "$0")/../.."
seconds=${1:-60}
[ $# -gt 0 ] && shift
build=${BUILD:-build-fuzz}
export ASAN_OPTIONS="quarantine_size_mb=32:malloc_context_size=8:${ASAN_OPTIONS:-}" OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
[ $# -gt 0 ] || set -- $(ls "$build/fuzz" | grep -v '\.d$')
found=0
for name; do
    corpus=$build/corpus/$name log=$build/found/$name.log
    mkdir -p "$corpus" "$build/found"
    length=8192
    case $name in png | jpeg) length=32768 ;; esac
    dictionary=tests/fuzz/$name.dict
    [ -e "$dictionary" ] && dictionary=-dict=$dictionary || dictionary=-verbosity=1
    "$build/fuzz/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=512 -max_len=$length -print_final_stats=1 "$dictionary" \
        -artifact_prefix="$build/found/$name-" "$corpus" "tests/fuzz/corpus/$name" >"$log" 2>&1
    status=$?
    [ $status -eq 0 ] || found=1
    awk -v name="$name" -v status=$status '
        /number_of_executed_units/ { n = $2 } /peak_rss_mb/ { rss = $2 } /Done .* runs in/ { s = $5 }
        END { printf "%-14s %10d executions %6s seconds %5d MB  %s\n", name, n, s == "" ? "?" : s, rss, status ? "FOUND something" : "nothing found" }' "$log"
    [ $status -eq 0 ] || grep -a "ERROR\|SUMMARY\|Test unit written" "$log"
done
exit $found
