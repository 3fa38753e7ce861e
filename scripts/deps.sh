#!/bin/sh
# Installs the packages foci is built from, and only those that are missing.
# Debian and Ubuntu: through apt, as root or with sudo. Elsewhere: names what to install and stops.
#   scripts/deps.sh [--mpi] [EXTRA PACKAGE...]     --mpi: Open MPI as well, for `make mpi`
set -eu

packages="gcc make pkg-config libc6-dev libopenblas0-openmp libturbojpeg0-dev libstb-dev zlib1g-dev
          libyaml-dev libjansson-dev libxxhash-dev uthash-dev libcmocka-dev gnuplot-nox clang-format"
case " $* " in *" clang "*) packages="$packages libomp-dev" ;; esac
case " $* " in *" --mpi "*) packages="$packages libopenmpi-dev openmpi-bin" ;; esac
for extra; do [ "$extra" = --mpi ] || packages="$packages $extra"; done

if ! command -v dpkg-query >/dev/null 2>&1; then
    for header in turbojpeg.h stb/stb_image.h zlib.h yaml.h jansson.h xxhash.h uthash.h cmocka.h; do
        printf '#include <stdarg.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <stdio.h>\n#include <setjmp.h>\n#include <%s>\n' "$header" |
            "${CC:-cc}" -E - >/dev/null 2>&1 || missing="${missing:-} $header"
    done
    [ -z "${missing:-}" ] && exit 0
    echo "foci needs a C compiler, make, and: libjpeg-turbo (turbojpeg), stb, zlib, libyaml, jansson, xxHash," >&2
    echo "uthash, cmocka; gnuplot for plots, and on processors without AVX2 OpenBLAS (the OpenMP build) for speed." >&2
    echo "Missing headers:$missing" >&2
    exit 1
fi

missing=
for p in $packages; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $p"
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ]; then sudo=
elif command -v sudo >/dev/null 2>&1; then sudo=sudo
else
    echo "foci needs packages that only root can install:$missing" >&2
    exit 1
fi
echo "installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
install() { $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null; }
install 2>/dev/null || { $sudo apt-get update -qq && install; }
