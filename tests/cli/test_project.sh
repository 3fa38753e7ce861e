#!/bin/sh
# The project's own promises: the C is laid out as agreed, the layer check refuses what it should, and the test runner fails
# when a test fails.
set -u
unset ONLY # not meant for the runner that is tested here
here=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
check() { # NAME COMMAND...
    name=$1
    shift
    echo "[ RUN      ] $name"
    if "$@" >"$work/log" 2>&1; then echo "[       OK ] $name"; else cat "$work/log"; echo "[  FAILED  ] $name"; failed=1; fi
}

laid_out() { sh "$here/scripts/check-format.sh"; }
refuses_lines() { # COLUMNS: of a line of C
    rm -rf "$work/tree"
    mkdir -p "$work/tree/scripts" "$work/tree/src/base"
    cp "$here/scripts/check-format.sh" "$work/tree/scripts/"
    cp "$here/.clang-format" "$work/tree/"
    printf 'extern int %0*d;\n' $(($1 - 12)) 0 | tr 0 x >"$work/tree/src/base/x.c"
    ! sh "$work/tree/scripts/check-format.sh"
}
columns() { refuses_lines 121 && ! refuses_lines 120; }

layers_hold() { sh "$here/scripts/check-layers.sh"; }
layers_refuse() { # FILE INCLUDE
    layers_refuse_line "$1" "#include \"$2\""
}
layers_refuse_line() { # FILE LINE
    rm -rf "$work/tree"
    mkdir -p "$work/tree/scripts" "$work/tree/include/foci" "$work/tree/src/base" "$(dirname "$work/tree/$1")"
    cp "$here/scripts/check-layers.sh" "$work/tree/scripts/"
    cp "$here/src/rooms" "$work/tree/src/"
    touch "$work/tree/src/base/x.h" "$work/tree/include/foci/foci.h"
    printf '%s\n' "$2" >"$work/tree/$1"
    ! sh "$work/tree/scripts/check-layers.sh" && sh "$work/tree/scripts/check-layers.sh" 2>&1 | grep -q "^$1:1: "
}
upward() { layers_refuse src/core/a.c models/models.h; }
sideways() { layers_refuse src/data/a.c core/graph.h; }
public() { layers_refuse include/foci/a.h base/error.h; }
pointers() {
    for line in 'x = foci_data(t)[0];' 'foci_grad (t)[0] = 1;' 'foci_ints(t)' 'if (foci_wants(n, 0))' 't->host_data = x;' \
        'foci_graph_forward(g);' 'foci_graph_backward_from_output(g);'; do
        layers_refuse_line src/models/a.c "$line" || return 1
    done
    ! layers_refuse_line src/ops/a.c 'x = foci_data(t)[0];' && ! layers_refuse_line src/models/a.c 'x = my_foci_data(t) + host_database;'
}
roomless() { layers_refuse src/ops/a.c linear.h; }

runner_fails() {
    mkdir -p "$work/r/tests" "$work/r/b/tests/x"
    cp "$here/tests/run.sh" "$work/r/tests/"
    printf '#!/bin/sh\necho "[       OK ] a"\necho "[  FAILED  ] b"\necho "[  FAILED  ] b"\nexit 1\n' >"$work/r/b/tests/x/test_x"
    chmod +x "$work/r/b/tests/x/test_x"
    ! BUILD=b sh "$work/r/tests/run.sh" && BUILD=b sh "$work/r/tests/run.sh" | tail -n 1 | grep -qx '1 passed, 1 failed'
}
runner_refuses_nothing() {
    printf '#!/bin/sh\nexit 0\n' >"$work/r/b/tests/x/test_x"
    ! BUILD=b sh "$work/r/tests/run.sh"
}

check "every line of C is within 120 columns, laid out by clang-format" laid_out
check "a line of 121 columns is refused" columns
check "the layers hold" layers_hold
check "core may not use models" upward
check "data may not use core" sideways
check "a public header may use nothing" public
check "an include names its room" roomless
check "above the operations nothing touches the memory of tensors" pointers
check "the runner fails when a test fails" runner_fails
check "the runner fails when a program runs no test" runner_refuses_nothing
exit $failed
