#!/bin/sh
# Says in one line what an executable needs at run time, and fails if that is a shared library besides those of the C
# library, a glibc newer than stated, or a folder of the machine on which it was built.
#   scripts/check-portable.sh GLIBC FILE
set -eu
LC_ALL=C objdump -p "$2" | awk -v stated="$1" -v file="$2" '
function number(version, part) { # 2.34: 2034
    split(version, part, ".")
    return 1000 * part[1] + part[2]
}
function refuse(why) {
    print file ": " why >"/dev/stderr"
    bad = 1
}
$1 == "NEEDED" {
    needed = needed (needed ? ", " : "") $2
    if ($2 !~ /^(lib(c|m|pthread|dl|rt)|ld-linux[a-z0-9_-]*)\.so\.[0-9]+$/) refuse("needs the library " $2)
}
$1 == "RPATH" || $1 == "RUNPATH" { refuse("looks for libraries in " $2) }
$1 == "required" && $2 == "from" { references = 1; next }
!NF { references = 0 }
references && $4 ~ /^GLIBC_[0-9]/ {
    version = substr($4, 7)
    if (number(version) > number(newest)) newest = version
}
references && $4 ~ /^GLIBC_[^0-9]/ { refuse("needs " $4) }
END {
    if (!newest) refuse("loads no C library")
    else if (number(newest) > number(stated)) refuse("needs glibc " newest ", which is newer than " stated)
    if (bad) exit 1
    print file " needs Linux and glibc " newest " or newer: " needed
}'
