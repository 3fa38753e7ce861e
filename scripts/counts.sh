#!/bin/sh
# How many files a new thing touches, and how often the same thing is done, counted in the tree and printed as Markdown
# beside what a review found before the rooms were rearranged. The files of a new thing are those that CONTRIBUTING.md
# names, as tests/cli/test_contributing.sh finds them.
set -eu
cd "$(dirname "$0")/.."

touched() { # SECTION: files of the source named behind its "Files touched", up to a semicolon
    awk -v section="## $1" '
        /^## / { here = index($0, section) == 1 }
        here && /^Files touched/ { on = 1 }
        !NF { on = 0 }
        on { text = text $0 }
        END { sub(/;.*/, "", text); print gsub(/`(src|include)\//, "", text) }' CONTRIBUTING.md
}
callers() { # REGEX ROOM...: files that call a function, indented, outside these rooms
    called=$1
    shift
    found=$(grep -lE "^    .*(^|[^a-z_])($called) *\(" src/*/*.c)
    for room; do found=$(printf '%s\n' "$found" | grep -v "^src/$room/" || true); done
    printf '%s\n' "$found" | grep . || true
}
number() { grep -c . || true; }
names() { sed 's|^src/||' | paste -sd ' ' - | sed 's/ /, /g; s/^/ (/; s/$/)/; s/^ ()$//'; }

plans=$(callers 'foci_graph_plan|foci_graph_bind')
steps=$(callers foci_optimizer_step)
images=$(callers foci_image_set_read images)
corpora=$(callers 'foci_vocabulary_cached|foci_tokens_read' text)
ranks=$(grep -nE '^(static )?[a-z_0-9]+ [a-z_]*rank[a-z_]*\(.*logits' src/*/*.c | cut -d: -f1)
above=$(awk '!/^#/ && NF { if (on) print "src/" $1; if ($1 == "ops") on = 1 }' src/rooms)
pointers=$(grep -hoE '(^|[^a-z_])(foci_(data|grad|ints|wants) *\(|host_(data|grad)([^a-z_]|$))' $(
    for room in $above; do ls "$room"/*.[ch]; done) | number)
lookups=$(grep -hoE '(^|[^a-z_])foci_config_(bool|int|real|string|ints|reals) *\(' $(
    ls src/*/*.c | grep -v '^src/config/') | number)
public=$(grep -E '^[a-z].*[ *]foci_[a-z_]+\(' include/foci/foci.h | grep -cv '^typedef')
lines=$(sh scripts/lines.sh)
largest=$(echo "$lines" | awk '/the largest room$/ { print $1 ", " $2 " lines, " $4 " %" }')
long=$(echo "$lines" | awk '/^long / { print $7 " %" }')

cat <<TABLE
| count | before | now |
|---|---|---|
| files to touch for a task | 21 | $(touched 'A new task') |
| ... a metric | 7 | $(touched 'A new metric') |
| ... a measure | 4 | $(touched 'A new measure') |
| ... an option of attacks | 3 | $(touched 'A new attack') |
| ... a data set | 6 | $(touched 'A new data set') |
| files that plan and bind graphs | 9 | $(echo "$plans" | number)$(echo "$plans" | names) |
| files that make a training step | 3 | $(echo "$steps" | number)$(echo "$steps" | names) |
| files outside images/ that read images of a set | 3 | $(echo "$images" | number)$(echo "$images" | names) |
| ranks of a label | 3 | $(echo "$ranks" | number)$(echo "$ranks" | names) |
| files outside text/ that open a corpus | 5 | $(echo "$corpora" | number)$(echo "$corpora" | names) |
| touches of a tensor's memory above ops/ | 51 | $pointers |
| look-ups of a config by string | 169 | $lookups |
| functions of foci.h | 0 that train | $public |
| largest room | 8144 lines, 25 % | $largest |
| lines over 120 columns | 3.6 % | $long |
TABLE
