#!/bin/sh
# The keys that foci's own code names are keys of the schema: one that is mistyped would be a silent zero.
. "$(dirname "$0")/lib.sh"

# Full names, from the table that `foci help config` prints: headings, and rows two columns in.
known() {
    "$foci" help config | awk '
        /^[a-z]/ { section = $1 == "top" ? "" : $1 "."; next }
        /^  [a-z]/ { print section $1 }' | sort -u
}
# FOLDER: the names handed to foci_config_int and its like, and whatever else looks like one beside them.
named() {
    grep -rhoE --include='*.c' 'foci_config_(bool|int|real|string|ints|reals|is_set|place|fail)\(.*' "$1" >calls
    grep -v '^foci_config_[a-z_]*(const foci_config ' calls | tee used |
        sed -nE 's/^foci_config_[a-z_]+\([^,"]*, *"([^"]*)".*/\1/p'
    grep -oE '"(model|attention|data|train)\.[a-z_0-9]+"' used | tr -d '"'
}
unknown() { # FOLDER: those that are no keys
    named "$1" | sort -u >names
    known >keys
    comm -23 names keys
}

all_known() {
    unknown "$root/src" >wrong
    [ "$(wc -l <names)" -gt 10 ] && [ "$(wc -l <keys)" -gt 60 ] || wrong "the test reads nothing: $(wc -l names keys)"
    [ ! -s wrong ] || wrong "no such keys: $(cat wrong)"
}
mistyped() {
    mkdir room
    printf '%s\n' 'int64_t n = foci_config_int(io->config, "train.sede"), m = foci_config_int(c, "train.seed");' \
        'return foci_config_fail(c, text ? "data.tset" : "data.val", "no");' 'foci_config_string(c, "nmae");' >room/a.c
    equal 'data.tset
nmae
train.sede' "$(unknown room)"
}

check "every key in foci's code is one" all_known
check "a mistyped one is found" mistyped
finish
