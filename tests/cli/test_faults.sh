#!/bin/sh
# Every call that a file is saved by fails in turn: the exit code tells, the files that are there are whole, and the run goes on
# to the same weights once the fault is gone. FAULT_STRIDE=1 tries all of them, and not only every third.
. "$(dirname "$0")/lib.sh"
[ -z "$sanitized" ] || { echo "skipped: the sanitizers want to be loaded first"; check "nothing" true; finish; }
make_images >/dev/null
${CC:-cc} -shared -fPIC -o faults.so "$root/tests/cli/faults.c" -ldl || exit 1
keys="--set train.max_steps=6 --set train.checkpoint_every=2 --set train.eval_every=3 --set train.ema_decay=0.5"

faulty() { # FAULT ARGUMENT...: exit code in $code, output in err
    fault=$1
    shift
    code=0
    FAULT=$fault FAULT_LOG=$work/calls LD_PRELOAD=$work/faults.so "$foci" "$@" >out 2>err || code=$?
}
faulty none:0:EIO train vit.yaml --out plain $keys
cp calls most
calls_of() { awk -v k="$1" '$1 == k { print $2 }' most; }
enough() { for k in open write fsync close rename dirsync; do [ "$(calls_of $k)" -ge 10 ] || wrong "$k: $(calls_of $k) calls"; done; }
check "there are calls to make fail" enough

whole_files() { for f in cut/*.safetensors; do [ ! -e "$f" ] || "$foci" average "$f" --out average >/dev/null 2>&1 || is_state "$f"; done; }
is_state() { case $1 in */state.safetensors) ;; *) wrong "$1 is damaged" ;; esac; }
recovers() { # the same command, without the fault
    for f in cut/*.tmp; do [ ! -e "$f" ] || wrong "$f was left behind"; done
    whole_files
    if [ -e cut/config.yaml ]; then runs train vit.yaml --out cut $keys --resume; else runs train vit.yaml --out cut $keys; fi
    same plain/last.safetensors cut/last.safetensors
    same plain/ema.safetensors cut/ema.safetensors
}
fails_in_turn() { # KIND HOW
    n=1
    while [ $n -le "$(calls_of $1)" ]; do
        rm -rf cut
        faulty $1:$n:$2 train vit.yaml --out cut $keys
        case $code in
        6) contains err "^foci: .*" ;;
        0) contains err 'was not written .*training goes on, that of step [0-9]+ is intact' ;; # and the next one was
        *) wrong "$1 $n: exit code $code" "$(cat err)" ;;
        esac
        recovers
        n=$((n + ${FAULT_STRIDE:-3}))
    done
}
for kind in open write fsync close rename dirsync; do
    for how in ENOSPC EIO; do
        case $kind$how in writeEIO | openENOSPC | renameENOSPC | dirsyncENOSPC) continue ;; esac
        check "each $kind fails with $how" fails_in_turn $kind $how
    done
done

harmless() { # HOW: is tried again
    n=1
    while [ $n -le "$(calls_of write)" ]; do
        rm -rf cut
        faulty write:$n:$1 train vit.yaml --out cut $keys
        equal 0 $code
        same plain/last.safetensors cut/last.safetensors
        n=$((n + 11))
    done
}
check "interrupted writes" harmless EINTR
check "short writes" harmless short

full() { # from some call on: the disk stays full
    for n in 12 25; do
        rm -rf cut
        export FAULT_STICKS=1
        faulty write:$n:ENOSPC train vit.yaml --out cut $keys
        unset FAULT_STICKS
        equal 6 $code
        contains err '^foci: .*No space left on device'
        recovers
    done
}
check "a disk that stays full" full
finish
