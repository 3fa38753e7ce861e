#!/bin/sh
# Under tight limits foci works, or says at once why not: address space, stacks, open files, threads. And OpenBLAS, whose
# start takes memory for every thread, is not loaded where foci's own products are used.
. "$(dirname "$0")/lib.sh"
[ -z "$sanitized" ] || { echo "skipped: the sanitizers take address space of their own"; check "nothing" true; finish; }
make_images >/dev/null
make_text >/dev/null
"$foci" train vit.yaml --out run >/dev/null 2>&1
"$foci" train lm.yaml --out words >/dev/null 2>&1
unset OMP_WAIT_POLICY GOMP_SPINCOUNT OMP_STACKSIZE # as foci chooses

within() { # LIMIT...: as ulimit takes it; each command ends soon, and as it would without
    limits=$*
    for c in 'list attention' 'help config' '--version' 'train vit.yaml --out tight --force' 'train lm.yaml --out tight --force' \
        'eval run' 'eval words' 'attack run --method pgd --eps 1/255 --limit 4' 'analyze run --out seen' 'generate words' \
        'average run run --out mean' 'plot run' 'runs .' 'data check vit.yaml' 'data stats lm.yaml' 'bench vit.yaml --steps 1' \
        "verify $root/tests/golden/small-lm-plain.json" "table list $root/configs/tables"; do
        code=0
        (ulimit $limits && exec timeout 60 "$foci" $c) >out 2>err || code=$?
        case $code in
        0) ;;
        1 | 3 | 6) contains err '^foci: ' ;;
        *) wrong "foci $c: exit code $code" "$(tail -n 3 err)" ;;
        esac
        case $c in train*) equal 0 $code ;; esac
    done
}
check "200 MB of address space" within -v 200000
check "256 KB of stack" within -s 256
check "16 open files" within -n 16
same_bits() { # with whatever stacks and threads
    (ulimit -s 256 && runs train vit.yaml --out tight --force)
    same run/last.safetensors tight/last.safetensors
}
check "the same weights with small stacks" same_bits
few_files() {
    code=0
    (ulimit -n 5 && exec "$foci" train vit.yaml --out tight --force) >out 2>err || code=$?
    [ "$code" -ne 0 ] && contains err '^foci: .*Too many open files'
}
check "too few open files" few_files

tables() {
    printf '%s\n' 'title: t' 'measure: {clean: val}' 'runs:' '  - {name: a, config: vit.yaml}' \
        '  - {name: b, config: vit.yaml, set: {train.seed: 1}}' >t.yaml
    runs table run t.yaml --out plain
    (ulimit -v 200000 && ulimit -n 16 && runs table run t.yaml --out tables)
    same plain/table.csv tables/table.csv
}
check "a table within limits" tables

as_nobody() { # THREADS COMMAND...: no more threads than these, for a user without others
    n=$1
    shift
    timeout 60 setpriv --reuid=65534 --clear-groups prlimit --nproc="$n" "$foci" "$@" >out 2>err
}
few_threads() {
    chmod 755 "$work"
    mkdir there
    cp -r images vit.yaml lm.yaml text run words there
    chmod -R a+rwX there
    cd there
    for n in 1 2 3 4; do
        as_nobody $n train vit.yaml --out t --force --threads 3 || wrong "$n threads: $(cat err)"
        same run/last.safetensors t/last.safetensors
        as_nobody $n train lm.yaml --out t --force --threads 3 || wrong "$n threads: $(cat err)"
        same words/last.safetensors t/last.safetensors
        as_nobody $n eval run --threads 3 || wrong "$n threads: $(cat err)"
    done
    as_nobody 1 eval words --threads 3
    contains err '^warning: only 1 of 3 threads can be started \(a limit on processes or memory\)$'
    as_nobody 1 eval run --threads 3
    contains err '^warning: no thread can be started \(.*\): batches are made when they are needed, not ahead$'
}
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && command -v prlimit >/dev/null && [ ! -L "$foci" ] &&
    setpriv --reuid=65534 --clear-groups "$foci" --version >/dev/null 2>&1; then
    check "no threads left" few_threads
fi

blas() { # only where it is asked for, or the processor has no wide registers
    runs list attention
    code=0
    FOCI_GEMM=openblas "$foci" --version >out 2>err || code=$?
    [ "$code" -eq 0 ] || { contains err '^foci: FOCI_GEMM=openblas: OpenBLAS is not here'; return 0; }
    contains out 'products by OpenBLAS [0-9.]+ \('
    FOCI_GEMM=mkl fails_like 2 'FOCI_GEMM: `mkl` is not foci or openblas' --version
    code=0
    (ulimit -v 200000 && FOCI_GEMM=openblas exec timeout 20 "$foci" --version) >out 2>err || code=$?
    equal 1 $code
    contains err '^foci: FOCI_GEMM=openblas: OpenBLAS takes [0-9]+ MB of address space with [0-9]+ threads, and [0-9]+ MB are left$'
    (ulimit -v 200000 && FOCI_ISA=generic exec timeout 60 "$foci" eval run) >out 2>err
    contains err '^warning: OpenBLAS takes .*: products are foci.s own, and slower$'
    FOCI_ISA=generic runs eval run
    [ ! -s err ]
}
check "OpenBLAS is loaded where it is needed" blas
finish
