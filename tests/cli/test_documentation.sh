#!/bin/sh
# What --help, the manual page, the completion and configs/README.md say agrees, for every command, option and key.
. "$(dirname "$0")/lib.sh"

"$foci" help man >man
"$foci" help completion >completion
"$foci" help reference >reference

all_commands() { # "train", "data make"
    "$foci" --help | sed -n 's/^  \([a-z][a-z]*\)  *[a-z].*/\1/p' | grep -v '^foci$' | while read -r c; do
        if "$foci" "$c" --help | grep -q '^usage: foci [a-z]* COMMAND'; then
            "$foci" "$c" --help | sed -n "s/^  \([a-z][a-z]*\)  *[a-z].*/$c \1/p" | grep -v ' foci$'
        else
            echo "$c"
        fi
    done
}
all_commands >commands

of_help() { "$foci" $1 --help | cut -c1-29 | grep '^ *\(-., \)\{0,1\}--' | grep -o -- '--[a-z-]*' | sed 's/^--//' | grep -Ev '^(help|usage|version)$' | sort; }
of_manual() {
    awk -v section=".SS foci $1 [OPTION...]" 'index($0, ".S") == 1 { inside = index($0, section) == 1 } inside' man |
        sed -n 's/^\\fB\\-\\-\([a-z\\-]*\)\\fR.*/\1/p' | sed 's/\\-/-/g' | sort
}
of_completion() {
    sed -n "s/^    \"foci $1\" .*options=\"\(.*\)\" ;;/\1/p" completion | tr ' ' '\n' | sed 's/^--//; s/=$//' | grep -Ev '^(help|usage|version)$' | sort
}
options_agree() { # COMMAND
    of_help "$1" >help
    of_manual "$1" >manual
    of_completion "$1" >completed
    same help manual
    same help completed
}
while read -r c; do check "options of foci $c" options_agree "$c"; done <commands
some() { [ "$(grep -c . commands)" -gt 10 ] && [ "$(of_help train | grep -c .)" -gt 5 ] || wrong "too little is compared"; }
check "there is something to compare" some

keys_agree() {
    "$foci" help config | awk '/^[a-z]/ { section = $1 == "top" ? "" : $1 "." } /^  [a-z]/ { print section $1 }' | sort >help
    sed -n 's/^\\fB\([a-z_.]*\)\\fR.* \\- .*/\1/p' man | sort >manual
    awk '/^### / { section = $2 == "top" ? "" : $2 "." } /^\| `/ { gsub("`", "", $2); print section $2 }' reference | sort >referred
    sed -n 's/.*&& keys="\(.*\)"/\1/p' completion | tr ' ' '\n' | sed 's/=$//' | grep . | cat - ./inherit | sort >completed
    same help manual
    same help referred
    same help completed
    [ "$(grep -c . help)" -gt 70 ] || wrong "few keys" "$(cat help)"
}
echo inherit >inherit
check "keys of a config" keys_agree

up_to_date() {
    sed -n '/^<!-- foci help reference -->/,/^<!-- end -->/p' "$root/configs/README.md" | sed '1d;$d' >written
    cmp -s written reference || wrong "configs/README.md is not what foci help reference prints; scripts/reference.sh writes it"
}
check "configs/README.md has every key" up_to_date

completes() { # WORD... : what is offered for the last word, one a line
    bash -c '. ./completion; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _foci; printf "%s\n" "${COMPREPLY[@]}"' foci "$@"
}
completion_works() {
    equal train "$(completes foci tr)"
    equal make "$(completes foci data m)"
    equal --resume "$(completes foci train config.yaml --res)"
    equal train.lr= "$(completes foci train config.yaml --set train.lr)"
    equal train.lr= "$(completes foci train config.yaml --set = train.lr)"
    : >some-config.yaml
    equal some-config.yaml "$(completes foci train some-c)"
}
if command -v bash >/dev/null; then check "completion in bash" completion_works; fi

manual_is_clean() { equal "" "$(groff -man -Tascii -ww -z man 2>&1)"; }
if command -v groff >/dev/null; then check "the manual page has no errors" manual_is_clean; fi
finish
