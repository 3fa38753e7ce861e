#!/bin/sh
# make dist, and building that archive where nothing can be installed: what is missing is named, and what DEPS names is
# built against. There the system's own headers and archives of the dependencies are hidden behind a file that breaks
# whatever reads it. (Shared libraries cannot be: the compiler needs some.)
. "$(dirname "$0")/lib.sh"
cc=${CC:-gcc}
unset MAKEFLAGS MAKELEVEL

version=$(sed -n 's/.*FOCI_VERSION "\(.*\)"/\1/p' "$root/include/foci/foci.h")
archived() {
    for build in first second; do make -C "$root" BUILD="$work/$build" dist >out; done
    contains out "^$work/second/foci-$version.tar.gz: commit [0-9a-f]+\$"
    same first/foci-$version.tar.gz second/foci-$version.tar.gz
}
holds_the_commit() { # every file of it, owned by nobody in particular, as old as it
    tar xzf first/foci-$version.tar.gz
    tar tzf first/foci-$version.tar.gz | sed -n "s|^foci-$version/\(.*[^/]\)\$|\1|p" >held
    git -C "$root" ls-tree -r --name-only HEAD >committed
    same committed held
    equal 'root/root' "$(tar tvzf first/foci-$version.tar.gz | awk '{ print $2 }' | sort -u)"
    equal "$(git -C "$root" log -1 --format=%ct)" "$(stat -c %Y foci-$version/* | sort -u)"
}
if git -C "$root" rev-parse HEAD >/dev/null 2>&1; then
    check "make dist: the same bytes each time" archived
    check "make dist: what is committed" holds_the_commit
else
    echo "skipped: an archive, where git has no commit to make it of"
    mkdir foci-$version
    cp -r "$root/Makefile" "$root/include" "$root/src" "$root/scripts" foci-$version
fi

# copy HEADER LIBRARY FOLDER LIB: of a dependency, into FOLDER/include and FOLDER/LIB; the originals are noted in hidden
copy() {
    mkdir -p "$3/include/stb" "$3/$4"
    echo "#include <$1>" | $cc -include stdarg.h -include stddef.h -include stdint.h -include setjmp.h -include stdio.h -M -x c - |
        tr ' ' '\n' | grep -E '/(turbojpeg|stb/stb_.*|zlib|zconf|yaml|jansson.*|xx.*|uthash|cmocka.*)\.h$' >headers
    while read -r file; do
        case $file in */stb/*) cp "${file%/*}"/stb_*.h "$3/include/stb" ;; *) cp "$file" "$3/include" ;; esac
        echo "$file" >>hidden
    done <headers
    [ "$2" ] || return 0
    case $($cc -print-file-name=lib$2.a) in
    /*) cp "$($cc -print-file-name=lib$2.a)" "$3/$4" && $cc -print-file-name=lib$2.a >>hidden ;;
    *) cp -L "$($cc -print-file-name=lib$2.so)" "$3/$4" ;;
    esac
}
copy turbojpeg.h turbojpeg one lib64
copy stb/stb_image.h '' one lib64
copy zlib.h z one lib64
copy yaml.h yaml one lib64
copy jansson.h jansson other lib
copy xxhash.h xxhash other lib
copy uthash.h '' other lib
copy cmocka.h cmocka tests lib

echo '#error this belongs to the system, and is hidden' >broken
cat >hide.sh <<'SH'
set -eu
while read -r file; do mount --bind broken "$file"; done <hidden
for tool in apt-get dpkg-query; do
    if command -v $tool >/dev/null; then mount --bind /dev/null "$(command -v $tool)"; fi
done
exec "$@"
SH
if unshare -m sh hide.sh true 2>/dev/null; then alone='unshare -m sh hide.sh'
elif unshare -rm sh hide.sh true 2>/dev/null; then alone='unshare -rm sh hide.sh'
else
    echo "skipped: nothing can be hidden without root or user namespaces"
    finish
fi

asks() { # CODE PROJECTS FOLDERS: which are found missing where DEPS is FOLDERS
    prefixes=$(for folder in $3; do echo "$work/$folder"; done)
    code=0
    C_INCLUDE_PATH=$(echo "$prefixes" | sed 's|$|/include|' | paste -sd :) \
        LIBRARY_PATH=$(echo "$prefixes" | sed 's|.*|&/lib:&/lib64|' | paste -sd :) CC=$cc \
        $alone sh "$root/scripts/deps.sh" >out 2>err || code=$?
    equal "$1 $2" "$code $(sed -n 's|^  \([^ ]*\) .*\.h  *https://[a-z.]*[a-zA-Z0-9/]*.*|\1|p' err | paste -sd ' ')"
}
check "without them: all are named, and where they come from" asks 1 \
    'libjpeg-turbo stb zlib libyaml Jansson xxHash uthash cmocka' nowhere
check "with some: the others are named" asks 1 'Jansson xxHash uthash cmocka' one
check "cmocka alone may be missing" asks 0 cmocka 'one other'
check "with all: nothing is" asks 0 '' 'one other tests'

within() { $alone make -C foci-$version CC="$cc" BUILD=build DEPS="../one ../other" "$@"; }
objects='config/yaml images/decode images/png core/safetensors text/vocabulary'
compiles() { # a file for each header
    within $(for o in $objects; do echo build/obj/$o.o; done)
    for o in $objects; do [ -s foci-$version/build/obj/$o.o ]; done
}
links() { # against the archives, so that no library is needed at run time
    echo 'int main(void) { return 0; }' >linked.c
    printf 'linked: ../linked.c\n\t$(CC) -o $@ $< -Wl,--no-as-needed $(LIBS)\n' >linked.mk
    within -f Makefile -f ../linked.mk linked
    LC_ALL=C objdump -p foci-$version/linked >needed
    contains needed 'NEEDED +libm\.'
    lacks needed 'NEEDED +lib(turbojpeg|z|yaml|jansson|xxhash)'
}
check "the archive compiles against what DEPS names" compiles
check "it links against what DEPS names" links
finish
