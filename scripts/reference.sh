#!/bin/sh
# Writes the commands into README.md and the keys of a config into configs/README.md, from the tables they are read by:
# scripts/reference.sh [FOCI]
set -e
cd "$(dirname "$0")/.."
foci=${1:-build/foci}
write() { # FILE WHAT: between "<!-- foci help WHAT -->" and "<!-- end -->"
    {
        sed "/^<!-- foci help $2 -->/q" "$1"
        "$foci" help "$2"
        sed -n "/^<!-- foci help $2 -->/,\$p" "$1" | sed -n '/^<!-- end -->/,$p'
    } >"$1.new"
    mv "$1.new" "$1"
}
write README.md commands
write configs/README.md reference
