#!/bin/sh
# Sees that what foci is built from is there, before anything compiles.
# Debian and Ubuntu: installs the packages that are missing through apt, as root or with sudo.
# Elsewhere, without root, or where DEPS names folders of dependencies (see the Makefile): compiles and links a line against
# each, names those that are missing and where they come from, and stops.
#   scripts/deps.sh [--mpi] [--slurm] [EXTRA PACKAGE...]
#     --mpi: Open MPI as well, for `make mpi`, and ip, with which tests make networks of hosts
#     --slurm: Slurm, which tests/cli/test_cluster.sh starts for itself
#   scripts/deps.sh --arm64=FOLDER
#     what `make check-arm64` needs: a compiler, qemu, and in FOLDER the libraries of Debian's arm64, which the system
#     knows nothing of
set -eu

libraries="libc6-dev libopenblas0-openmp libturbojpeg0-dev libstb-dev zlib1g-dev
           libyaml-dev libjansson-dev libxxhash-dev uthash-dev libcmocka-dev"
packages="gcc make pkg-config $libraries gnuplot-nox clang-format"
sysroot=
case ${1:-} in --arm64=*) sysroot=${1#*=} packages="gcc-aarch64-linux-gnu qemu-user" && shift ;; esac
case " $* " in *" clang "*) packages="$packages libomp-dev" ;; esac
case " $* " in *" --mpi "*) packages="$packages libopenmpi-dev openmpi-bin iproute2" ;; esac
case " $* " in *" --slurm "*) packages="$packages slurmctld slurmd slurm-client" ;; esac
for extra; do case $extra in --mpi | --slurm) ;; *) packages="$packages $extra" ;; esac; done

# header, library (-: none), project, where it comes from
dependencies() {
    cat <<'LIST'
turbojpeg.h      turbojpeg  libjpeg-turbo  https://github.com/libjpeg-turbo/libjpeg-turbo
stb/stb_image.h  -          stb            https://github.com/nothings/stb
zlib.h           z          zlib           https://zlib.net
yaml.h           yaml       libyaml        https://github.com/yaml/libyaml
jansson.h        jansson    Jansson        https://github.com/akheron/jansson
xxhash.h         xxhash     xxHash         https://github.com/Cyan4973/xxHash
uthash.h         -          uthash         https://github.com/troydhanson/uthash
cmocka.h         cmocka     cmocka         https://cmocka.org
LIST
}

here() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q '^install ok installed'; }
installed() { # PACKAGE...: they are, in the end
    missing=
    for p; do here "$p" || missing="$missing $p"; done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi
    if command -v apt-get >/dev/null 2>&1 && command -v ${sudo:-true} >/dev/null 2>&1; then
        echo "installing:$missing" >&2
        export DEBIAN_FRONTEND=noninteractive
        install() { $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null; }
        install 2>/dev/null || { $sudo apt-get update -qq && install; } && return 0
    fi
    echo "not installed:$missing" >&2
    return 1
}
unpacked() { # FOLDER PACKAGE...: of arm64, with all that they need, by an apt that knows of no package but these
    folder=$1 apt=$1/apt
    shift
    mkdir -p "$apt/lists/partial" "$apt/archives/partial" && : >"$apt/status"
    of_arm64() {
        apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o APT::Sandbox::User="$(id -un)" \
            -o Dir::State="$apt" -o Dir::State::Status="$apt/status" -o Dir::Cache="$apt" "$@"
    }
    echo "unpacking into $folder: $*" >&2
    of_arm64 update && of_arm64 install -y --no-install-recommends --download-only "$@" >/dev/null || return 1
    for archive in "$apt"/archives/*.deb; do dpkg-deb -x "$archive" "$folder"; done
    rm -rf "$apt"
    # What links to a path of the root means the folder's.
    find "$folder" -type l -lname '/*' | while read -r link; do ln -sfn "$folder$(readlink "$link")" "$link"; done
}
if [ -z "${DEPS:-}" ] && command -v dpkg-query >/dev/null 2>&1; then
    if [ -n "$sysroot" ]; then installed $packages && unpacked "$sysroot" $libraries || :
    elif installed $packages; then exit 0; fi
fi

cc=${CC:-cc}
$cc --version >/dev/null 2>&1 || { echo "foci needs a C compiler: $cc is not here" >&2; exit 1; }
program=$(mktemp)
trap 'rm -f "$program"' EXIT
links() { # HEADER LIBRARY
    {
        printf '#include <%s>\n' setjmp.h stdarg.h stddef.h stdint.h stdio.h "$1"
        echo 'int main(void) { return 0; }'
    } | $cc -x c -o "$program" - $([ "$2" = - ] || echo "-Wl,--no-as-needed -l$2") >/dev/null 2>&1
}
missing=$(dependencies | while read -r header library project address; do
    links "$header" "$library" || printf '  %-14s %-18s %s\n' "$project" "$header" "$address"
done)
[ -n "$missing" ] || exit 0
echo "foci is built from these, and they are not here:" >&2
echo "$missing" >&2
echo "Build each from its source into a folder and name it, make DEPS=/folder: it has include/ and lib/. There may be" >&2
echo "several, DEPS=\"/one /other\". Only make check needs cmocka. gnuplot (for foci plot) and, on processors without" >&2
echo "AVX2 or NEON, OpenBLAS (the OpenMP build) are looked for when foci runs." >&2
! echo "$missing" | grep -qv '^  cmocka '
