#!/bin/sh
# A run that is killed at any instant loses nothing. KILLS=200 SIGNALS=100 does the same more often and says what happened.
. "$(dirname "$0")/lib.sh"
make_images >/dev/null
export FOCI="$foci"
killed() {
    sh "$root/tests/crash.sh" "$1" "$2" >told || { cat told; return 1; }
    cat told >>said
}
check "killed ${KILLS:-12} times" killed "${KILLS:-12}" KILL
check "interrupted ${SIGNALS:-6} times" killed "${SIGNALS:-6}" TERM
cat said
finish
