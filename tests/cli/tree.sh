# Sourced behind lib.sh by the tests that build what a page says in a copy of the tree. POSIX sh.
#
#   tree                            copies sources and objects to $work/tree, so that only what changes is compiled
#   block PAGE NAME                 prints the page's code that begins with "```c NAME" (or ```yaml)
#   add PAGE NAME PATH              writes that to a new file of the tree
#   line PAGE LINE PATH             appends a line of a list, which the page must have too
#   behind PATH ANCHOR PAGE NAME    puts the block's lines behind the first line of a file that has ANCHOR in it
#   build_tree                      checks the layers, builds foci: $tree_foci
#   touched                         the files in which the tree differs from the original, sorted
#
# The tree's build folder has the name of the original: what an object depends on is noted under that name.
tree_built=${BUILD:-build}
tree_build=${tree_built##*/}
case $tree_built in /*) ;; *) tree_built=$root/$tree_built ;; esac
tree_foci=$work/tree/$tree_build/foci

tree() {
    mkdir -p "tree/$tree_build"
    cp -a "$root/Makefile" "$root/include" "$root/src" "$root/scripts" tree/
    cp -a "$tree_built/obj" "$tree_built"/*.stamp "tree/$tree_build/"
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
        { print }
        !done && index($0, anchor) { printf "%s", text; done = 1 }
        END { exit !done }' inserted "tree/$1" >changed
    cp changed "tree/$1"
}
build_tree() {
    (cd tree && sh scripts/check-layers.sh)
    make -j2 -C tree BUILD="$tree_build" ${sanitized:+SAN=1} "$tree_build/foci"
}
touched() {
    for part in include src; do diff -rq "$root/$part" "tree/$part" || :; done |
        sed -n "s|^Files .* and tree/\(.*\) differ\$|\1|p; s|^Only in tree/\(.*\): |\1/|p" | sort
}
