#!/bin/sh
# Every line of C within 120 columns, and as clang-format would lay it out (`make format` does); the latter is skipped,
# with a word, where there is no clang-format 14: another one disagrees.
set -u
cd "$(dirname "$0")/.."
files=$(find src include tests examples -name '*.[ch]' 2>/dev/null | sort)
[ "$files" ] || { echo "no C to look at" >&2; exit 1; }
bad=0
awk 'length > 120 { print FILENAME ":" FNR ": " length " columns, of 120"; bad = 1 } END { exit bad }' $files || bad=1
case $(clang-format --version 2>/dev/null) in
*"version 14."*) clang-format --dry-run --Werror $files || bad=1 ;;
*) echo "clang-format 14 is not here: only the columns were looked at" ;;
esac
exit $bad
