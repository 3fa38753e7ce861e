#!/bin/sh
# Every room of src/ uses only the rooms that stand above it in src/rooms; a public header uses nothing. And the rooms
# below ops in that list touch no memory of a tensor and run no graph: they have programs (core/program.h).
set -eu
cd "$(dirname "$0")/.."
awk '
FILENAME == "src/rooms" {
    if (/^#/ || !NF) next
    rank[$1] = ++rooms
    if ($2 == ":") { only[$1] = " "; for (i = 3; i <= NF; i++) only[$1] = only[$1] $i " " }
    next
}
FNR == 1 {
    split(FILENAME, f, "/"); room = f[1] == "include" ? "include" : f[2]
    if (room != "include" && !(room in rank)) { print FILENAME ": " room " is no room of src/rooms"; bad = 1 }
}
room in rank && rank[room] > rank["ops"] && /(^|[^a-z_])(foci_(data|grad|ints|wants|graph_(new|plan|bind|feed|forward|backward[a-z_]*)) *\(|host_(data|grad)([^a-z_]|$))/ {
    print FILENAME ":" FNR ": " room " may not touch the memory of tensors or run graphs: core/program.h feeds, runs and fetches by name"
    bad = 1
}
match($0, /^[ \t]*#[ \t]*include[ \t]*"[^"]*"/) {
    split($0, q, "\""); split(q[2], p, "/"); used = p[1]
    if (used == "foci" || used == room) next
    if (!(used in rank)) { print FILENAME ":" FNR ": include \"" q[2] "\": name the room, as in \"base/error.h\""; bad = 1; next }
    ok = room in only ? index(only[room], " " used " ") : room in rank && rank[used] < rank[room]
    if (!ok) { print FILENAME ":" FNR ": " room " may not use " used; bad = 1 }
}
END { exit bad }
' src/rooms include/foci/*.h src/*/*.[ch] >&2
