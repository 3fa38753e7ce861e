#!/bin/sh
# Help is there for everything, on standard output, and offers nothing that is not.
. "$(dirname "$0")/lib.sh"

helps() { # REGEX ARGUMENT...: prints a line that matches, to stdout only, and no command or option of later days
    regex=$1
    shift
    runs "$@"
    contains out "$regex"
    [ ! -s err ] || wrong "on standard error:" "$(cat err)"
    ! grep -Ewi 'todo|not yet' out || wrong "it offers what is not there"
}
check "foci --help" helps '^usage: foci COMMAND' --help
check "foci -h" helps '^usage: foci COMMAND' -h
check "foci --version" helps '^foci [0-9]+\.[0-9]+\.[0-9]+ \(.*; [0-9]+ threads\)$' --version

"$foci" --help | sed -n 's/^  \([a-z][a-z]*\)  *[a-z].*/\1/p' | grep -v '^foci$' >commands
all_commands() { equal "$(sed -n 's/^FOCI_COMMAND(\([a-z]*\))/\1/p' "$root/src/cli/list.h")" "$(cat commands)"; }
check "the commands are those of foci" all_commands
for c in $(cat commands); do
    check "foci $c --help" helps "^(usage|Usage): foci $c " "$c" --help
    check "foci $c --version" helps '^foci [0-9]' "$c" --version
    [ "$c" = config ] || check "foci help $c" helps "^(usage|Usage): foci $c " help "$c" # help config: the keys
done
for c in 'data make' 'data pack' 'data check' 'data stats' 'data show' 'data corrupt' 'data bpe train' 'data bpe encode' 'data bpe decode' 'config show' 'table run' 'table list'; do
    check "foci $c --help" helps "^Usage: foci $c " $c --help
    check "foci help $c" helps "^Usage: foci $c " help $c
done
check "help on a command of another that is not there" fails 2 'there is no command `nope`; foci data --help lists them' help data nope
check "a command of another that is not there" fails 2 'there is no command `rum`; did you mean `run`?' table rum
check "foci train --usage" helps '^Usage: foci train ' train --usage
for c in train eval generate attack bench; do
    takes_common() {
        runs "$c" --help
        for option in --set=KEY=VALUE --threads=N --json; do contains out "^ +$option  "; done
    }
    check "foci $c takes --set, --threads and --json" takes_common
done

check "foci help config" helps '^  batch_size +int 1 to 1000000 +128 ' help config
every_key() { # each row of the schema says what it means
    runs help config
    contains out '^  kind +softmax, elliptical,? +softmax +[a-z]'
    contains out '^  kind +vit, fan, segmenter,? .*required +[a-z]'
    [ "$(grep -c '^  [a-z_]* ' out)" -gt 70 ] || wrong "few keys:" "$(cat out)"
}
check "every key of a config" every_key
only_some() {
    runs help config warmup
    equal "warmup_epochs warmup_steps warmup_lr" "$(sed -n 's/^  \([a-z][a-z_]*\) .*/\1/p' out | tr '\n' ' ' | sed 's/ $//')"
}
check "the keys with a word in them" only_some
check "no key with that word" fails 2 'no key has `nope` in its name' help config nope
check "help on what is not there" fails 2 'there is no command and no key `nope`; foci --help lists the commands, foci help config the keys' help nope
check "help on nothing" helps '^usage: foci COMMAND' help
a_key() {
    helps '^  lr +real 0 to 1000 +1e-3 +peak learning rate$' help lr
    contains out '^train$'
    helps '^  batch_size ' help train.batch
}
check "help on a key" a_key
finish
