# Sourced behind lib.sh by the tests that build what a page says in a copy of the tree. POSIX sh.
#
#   tree                            copies sources and objects to $work/tree, so that only what changes is compiled
#   block PAGE NAME                 prints the page's code that begins with "```c NAME" (or ```yaml)
#   add PAGE NAME PATH              writes that to a new file of the tree
#   line PAGE LINE PATH             appends a line of a list, which the page must have too
#   behind PATH ANCHOR PAGE NAME    puts the block's lines behind the first line of a file that has ANCHOR in it
#   build_tree                      checks the layers, builds foci; $foci is that one afterwards, in what is run next
#   touched                         the files in which the tree differs from the original, sorted
tree_build=${BUILD:-build}
case $tree_build in /*) tree_built=$tree_build ;; *) tree_built=$root/$tree_build ;; esac

tree() {
    mkdir -p tree/build
    cp -a "$root/Makefile" "$root/include" "$root/src" "$root/scripts" tree/
    cp -a "$tree_built/obj" "$tree_built"/*.stamp tree/build/
}
block() { awk -v name="$2" '/^```/ { on = !on && $2 == name; next } on' "$root/$1"; }
add() {
    [ ! -e "tree/$3" ] || wrong "$3 is there already"
    block "$1" "$2" >"tree/$3"
    [ -s "tree/$3" ] || wrong "$1 has no $2"
}
line() {
    grep -qF -- "$2" "$root/$1" || wrong "$1 does not have $2"
    echo "$2" >>"tree/$3"
}
behind() {
    block "$3" "$4" >inserted
    [ -s inserted ] || wrong "$3 has no $4"
    awk -v anchor="$2" 'NR == FNR { text = text $0 "\n"; next }
        { print } !done && index($0, anchor) { printf "%s", text; done = 1 } END { exit !done }' inserted "tree/$1" >changed
    cp changed "tree/$1"
}
build_tree() {
    (cd tree && sh scripts/check-layers.sh)
    make -j2 -C tree BUILD=build ${sanitized:+SAN=1} build/foci
}
touched() {
    for part in include src; do diff -rq "$root/$part" "tree/$part" || :; done |
        sed -n "s|^Files .* and tree/\(.*\) differ\$|\1|p; s|^Only in tree/\(.*\): |\1/|p" | sort
}
