#!/bin/sh
# Writes into pages what foci prints: commands into README.md, the keys of a config into configs/README.md, and what the
# small tables say, by the results that lie beside them, into docs/results.md and docs/claims.svg:
# scripts/reference.sh [FOCI]
set -e
cd "$(dirname "$0")/.."
foci=${1:-build/foci}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
write() { # FILE WORDS: the text, between "<!-- foci WORDS -->" and "<!-- end -->"
    {
        sed "\\@^<!-- foci $2 -->@q" "$1"
        cat "$scratch/text.md"
        sed -n "\\@^<!-- foci $2 -->@,\$p" "$1" | sed -n '/^<!-- end -->/,$p'
    } >"$scratch/page"
    cat "$scratch/page" >"$1"
}
"$foci" help commands >"$scratch/text.md"
write README.md "help commands"
"$foci" help reference >"$scratch/text.md"
write configs/README.md "help reference"
"$foci" table report configs/tables/small --results "$scratch" --runs "$scratch" --out "$scratch/text.md" >/dev/null
write docs/results.md "table report configs/tables/small"
"$foci" table report configs/tables/small --results "$scratch" --runs "$scratch" --out docs/claims.svg >/dev/null
