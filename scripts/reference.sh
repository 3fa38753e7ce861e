#!/bin/sh
# Writes the keys of a config into configs/README.md, from the tables they are read by: scripts/reference.sh [FOCI]
set -e
cd "$(dirname "$0")/.."
foci=${1:-build/foci}
{
    sed '/^<!-- foci help reference -->/q' configs/README.md
    "$foci" help reference
    sed -n '/^<!-- end -->/,$p' configs/README.md
} >configs/README.md.new
mv configs/README.md.new configs/README.md
