#!/bin/sh
# A run that is killed at any instant loses nothing. tests/crash.sh does the same more often.
. "$(dirname "$0")/lib.sh"
make_images >/dev/null
export FOCI="$foci"
killed() { sh "$root/tests/crash.sh" "$1" "$2"; }
check "killed 12 times" killed 12 KILL
check "interrupted 6 times" killed 6 TERM
finish
