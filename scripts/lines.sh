#!/bin/sh
# Lines of C by room, the largest room's share of src and include, and the share of lines over 120 columns.
set -eu
cd "$(dirname "$0")/.."
find src include tests examples -name '*.[ch]' | awk '
{
    n = split($0, part, "/"); room = part[1] == "src" && n > 2 ? part[2] : part[1]
    if (!(room in lines)) order[++rooms] = room
    while ((getline line < $0) > 0) {
        lines[room]++
        if (part[1] == "src" || part[1] == "include") house++
        all++
        if (length(line) > 120) long++
    }
    close($0)
    files[room]++
}
END {
    for (i = 1; i <= rooms; i++)
        if (order[i] != "tests" && order[i] != "examples" && lines[order[i]] > lines[largest]) largest = order[i]
    for (i = 1; i <= rooms; i++) printf "%-10s %7d lines %5d files\n", order[i], lines[order[i]], files[order[i]] | "sort -k2,2nr"
    close("sort -k2,2nr")
    printf "%-10s %7d lines in src and include\n", "the house", house
    printf "%-10s %7d lines, %.1f %% of them: the largest room\n", largest, lines[largest], 100 * lines[largest] / house
    printf "%-10s %7d lines over 120 columns, %.2f %% of %d\n", "long", long, 100 * long / all, all
}'
