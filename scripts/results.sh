#!/bin/sh
# What the small tables say, from the results that lie beside them, into docs/results.md between its two markers; or into
# another file. Results and runs of one's own (tables/) do not count.
set -eu
cd "$(dirname "$0")/.."
page=${1:-docs/results.md}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${FOCI:-build/foci}" table report configs/tables/small --results "$scratch" --runs "$scratch" --out "$scratch/report.md" >&2
awk -v report="$scratch/report.md" '
    /^<!-- end of the tables -->$/ { inside = 0 }
    !inside { print }
    /^<!-- the tables: scripts\/results.sh -->$/ { inside = 1; while ((getline line < report) > 0) print line }
' "$page" >"$scratch/page"
cp "$scratch/page" "$page"
