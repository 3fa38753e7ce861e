#!/bin/sh
# Names and files that are not foci's: what a run may be called, what it writes over, and what a refused one leaves.
. "$(dirname "$0")/lib.sh"
make_images >/dev/null
one="--set train.max_steps=1 --set train.epochs=1"

wrong_name() { # NAME WHAT
    fails 2 "--set name=$1: name: \`$1\` $2; it is to be the name of a folder" train vit.yaml --set "name=$1"
    [ ! -e runs ] || wrong "it made" "$(find runs)"
}
check "a name with a slash" wrong_name a/b "has a slash"
check "a name that leads elsewhere" wrong_name ../up "begins with a dot"
check "the name of the folder itself" wrong_name . "begins with a dot"
check "a hidden name" wrong_name .hidden "begins with a dot"
no_name() { fails_like 2 '--set name="": name: `""` is empty; .*' train vit.yaml --set 'name=""'; }
check "no name" no_name
long_name() {
    long=$(printf '%201d' 0 | tr 0\  nn)
    fails_like 2 '.*: name: `n+\.\.\.` has more than 200 bytes; .*' train vit.yaml --set "name=$long"
}
check "a name that is too long" long_name
control() {
    sed 's/^name: .*/name: "a\\tb"/' vit.yaml >tab.yaml
    fails_like 2 'tab.yaml:1:7: name: `"a\?b"` has control characters; it is to be the name of a folder' train tab.yaml
}
check "a name with control characters" control
good_names() {
    for name in 'a b' 'résumé' 'v1.0-rc' "it's"; do
        runs train vit.yaml $one --set "name=$name"
        [ -s "runs/$name/config.yaml" ]
        runs eval "runs/$name"
    done
}
check "names that people give" good_names

theirs() { # FILE OPTION: a folder that has a file by the name of one of a run's
    rm -rf folder before
    mkdir folder
    echo mine >"folder/$1"
    cp -r folder before
    fails 2 "folder/$1 is there, and no run of foci's wrote it: --out names another folder" train vit.yaml --out folder ${2:-}
    diff -r before folder
}
for file in config.yaml metrics.jsonl log.txt best.safetensors step-3.safetensors summary.json lock; do
    for option in '' --force --resume; do check "another's $file ${option#--}" theirs $file $option; done
done
environment() { theirs env.json "$@"; }
check "another's env.json" environment --force
beside() { # files of other names
    rm -rf folder
    mkdir folder
    for file in notes.md my.safetensors data.tmp step-x.safetensors step-3.safetensors.bak; do echo mine >"folder/$file"; done
    cp -r folder mine
    runs train vit.yaml $one --out folder
    runs train vit.yaml $one --out folder --force
    for file in $(ls mine); do same "mine/$file" "folder/$file"; done
    echo x >folder/last.safetensors.tmp
    echo x >folder/trained.json
    runs train vit.yaml $one --out folder --force
    [ ! -e folder/last.safetensors.tmp ] && [ ! -e folder/trained.json ]
}
check "files beside a run stay" beside

nothing_left() { # CODE ARGUMENT...: nor a changed run
    code=$1
    shift
    exits "$code" train vit.yaml "$@" --out new/er/run
    [ ! -e new ] || wrong "it left" "$(find new)"
}
check "no training data: nothing is left" nothing_left 3 --set data.train=nope
check "no validation data: nothing is left" nothing_left 3 --set data.val=nope
check "no such weights: nothing is left" nothing_left 4 --init nope
check "a wrong batch: nothing is left" nothing_left 2 --set train.micro_batch=3
check "what does not fit in memory: nothing is left" nothing_left 1 --set model.embed_dim=16384 --set model.depth=100
full_disk() { # the folder had been made
    ${CC:-cc} -shared -fPIC -o faults.so "$root/tests/cli/faults.c" -ldl
    for n in 1 2; do # env.json, config.yaml
        code=0
        FAULT=write:$n:ENOSPC LD_PRELOAD=$work/faults.so "$foci" train vit.yaml --out new/er/run >out 2>err || code=$?
        equal 6 $code
        contains err '^foci: new/er/run/.*No space left on device$'
        [ ! -e new ] || wrong "it left" "$(find new)"
    done
}
[ -n "$sanitized" ] || check "a full disk at the start: nothing is left" full_disk

same_weights() { # the average would replace what it is of
    runs train vit.yaml $one --out w
    cp w/last.safetensors whole
    for out in w/last.safetensors ./w/../w/last.safetensors; do
        fails 2 "$out is w/last.safetensors, one of the checkpoints: the average goes to another file" \
            average w/last.safetensors w/best.safetensors --out $out
    done
    ln w/last.safetensors hard
    ln -s w/last.safetensors soft
    for out in hard soft; do fails_like 2 "$out is w/last.safetensors, .*" average w/best.safetensors w/last.safetensors --out $out; done
    same whole w/last.safetensors
    runs average w/best.safetensors w/last.safetensors --out mean
}
check "an average is none of its checkpoints" same_weights

no_locks() { # a file system without them: a word, and on
    ${CC:-cc} -shared -fPIC -o nolock.so -x c - <<'C'
#include <errno.h>
#include <stdlib.h>
int flock(int fd, int how) { (void)fd, (void)how; errno = atoi(getenv("NOLOCK")); return -1; }
C
    for error in 37 38 95; do # ENOLCK, ENOSYS, EOPNOTSUPP
        rm -rf free
        NOLOCK=$error LD_PRELOAD=$work/nolock.so "$foci" train vit.yaml $one --out free 2>err || wrong "exit code $?" "$(cat err)"
        contains err '^warning: free/lock: no lock is to be had here \(.*\): nothing keeps a second foci from writing into it$'
    done
    code=0
    NOLOCK=5 LD_PRELOAD=$work/nolock.so "$foci" train vit.yaml --out broken 2>err || code=$?
    equal "6 foci: broken/lock: Input/output error" "$code $(cat err)"
    [ ! -e broken ]
}
[ -n "$sanitized" ] || check "where locks are not to be had" no_locks
taken() { # the folder of a run that has only begun is not cleared away
    mkdir held
    echo 1 >held/lock
    exec 9<>held/lock
    flock -n 9
    fails 2 'held: another foci writes into this run (process 1)' train vit.yaml --out held
    equal lock "$(ls held)"
}
! command -v flock >/dev/null || check "a folder that another foci has taken" taken
finish
