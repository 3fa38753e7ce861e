#!/bin/sh
# Every room of src/ uses only the rooms above it; data/ only base, config and kernels; a public header uses nothing.
set -eu
cd "$(dirname "$0")/.."
awk '
BEGIN {
    n = split("base config kernels core ops nn attention models data train study cli", order, " ")
    for (i = 1; i <= n; i++) rank[order[i]] = i
    only["kernels"] = " base "; only["config"] = " base "; only["core"] = " base kernels "
 only["data"] = " base config kernels "
}
match($0, /^[ \t]*#[ \t]*include[ \t]*"[^"]*"/) {
    split($0, q, "\""); split(q[2], p, "/"); split(FILENAME, f, "/")
    used = p[1]; room = f[1] == "include" ? "include" : f[2]
    if (used == "foci" || used == room) next
    if (!(used in rank)) { print FILENAME ":" FNR ": include \"" q[2] "\": name the room, as in \"base/error.h\""; bad = 1; next }
    ok = room in only ? index(only[room], " " used " ") : room in rank && rank[used] < rank[room]
    if (!ok) { print FILENAME ":" FNR ": " room " may not use " used; bad = 1 }
}
END { exit bad }
' include/foci/*.h src/*/*.[ch] >&2
