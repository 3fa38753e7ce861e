#!/bin/sh
# What --help, the manual page, the completion, README.md and configs/README.md say agrees, for every command, option
# and key; and the pages name only what is there.
. "$(dirname "$0")/lib.sh"

"$foci" help man >man
"$foci" help completion >completion
"$foci" help reference >reference
"$foci" help commands >table

names_below() { "$foci" $1 --help | sed -n 's/^  \([a-z][a-z]*\)  *[a-z].*/\1/p' | grep -v '^foci$'; } # of a command's own
all_commands() { # [COMMAND]: those that have none of their own: "train", "data make", "data bpe train"
    names_below "$1" | while read -r c; do
        whole=${1:+$1 }$c
        if "$foci" $whole --help | grep -q '^usage: foci [a-z ]* COMMAND'; then (all_commands "$whole"); else echo "$whole"; fi
    done
}
offered() { # [COMMAND]: likewise, by the completion
    words=$(sed -n "s/^    \"\{0,1\}foci${1:+ $1}\"\{0,1\}) words=\"--help --version \(.*\)\" ;;/\1/p" completion)
    [ -n "$words" ] || echo "$1"
    for c in $words; do (offered "${1:+$1 }$c"); done
}
all_commands "" >commands

names_agree() { # each command is everywhere, and nothing else is
    sort commands >help
    sed -n 's/^\.SS foci \(.*\) \[OPTION.*/\1/p' man | sed 's/\\-/-/g' | sort >manual
    sed -n 's/^    "foci \([a-z ]*\)" | .*/\1/p' completion | sort >completed
    offered "" | sort >offered
    sed -n 's/^| `foci \([a-z ]*\)` |.*/\1/p' table | sort >listed
    sed -n 's/^    foci) words="--help --version \(.*\)" ;;/\1/p' completion | tr ' ' '\n' | sort >first
    same help manual
    same help completed
    same help offered
    same help listed
    equal "$(sed 's/ .*//' help | uniq)" "$(cat first)"
    for c in 'table run' 'table list' 'data make' 'data bpe train' train; do contains help "^$c\$"; done
}
check "commands of every kind" names_agree
summary_of() { # "train", "data make"
    case $1 in *' '*) "$foci" ${1% *} --help ;; *) "$foci" --help ;; esac | sed -n "s/^  ${1##* }  *\([a-z].*\)/\1/p"
}
summaries_agree() { # and all say the same of it
    while read -r c; do
        grep -qxF "| \`foci $c\` | $(summary_of "$c") |" table || wrong "foci $c: $(summary_of "$c")"
        same_help "$c"
    done <commands
}
same_help() { # "foci help table run" is "foci table run --help"
    "$foci" $1 --help >asked
    "$foci" help $1 >told
    same asked told
    head -n 1 asked >usage
    contains usage "^Usage: foci $1 \[OPTION\.\.\.\] "
}
check "what commands are for" summaries_agree
listed_in_readme() {
    sed -n '/^<!-- foci help commands -->/,/^<!-- end -->/p' "$root/README.md" | sed '1d;$d' >written
    cmp -s written table || wrong "README.md has not what foci help commands prints; scripts/reference.sh writes it"
}
check "README.md has every command" listed_in_readme

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

results_are_those() { # of the result files beside the tables
    for f in report.md claims.svg; do
        (cd "$root" && "$foci" table report configs/tables/small --results "$here/none" --runs "$here/none" --out "$here/$f")
    done
    cmp -s "$root/docs/claims.svg" claims.svg || wrong "docs/claims.svg shows other results; scripts/reference.sh draws it"
    sed -n '\@^<!-- foci table report configs/tables/small -->@,/^<!-- end -->/p' "$root/docs/results.md" | sed '1d;$d' >written
    cmp -s written report.md || wrong "docs/results.md has not what the results say; scripts/reference.sh writes it"
    contains written '^\| softmax \| [0-9.]+ ± '
}
here=$PWD
check "docs/results.md has what was measured" results_are_those

attention_is_told() { # a row of the table for each
    runs list attention
    for kind in $(cut -d ' ' -f 1 out); do contains "$root/docs/attention.md" "^\| \`$kind\` \|"; done
}
check "docs/attention.md has every attention" attention_is_told

completes() { # WORD... : what is offered for the last word, one a line
    bash -c '. ./completion; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _foci; printf "%s\n" "${COMPREPLY[@]}"' foci "$@"
}
completion_works() {
    equal train "$(completes foci tr)"
    equal make "$(completes foci data m)"
    equal encode "$(completes foci data bpe e)"
    equal --min-frequency= "$(completes foci data bpe train --min)"
    equal --resume "$(completes foci train config.yaml --res)"
    equal train.momentum= "$(completes foci train config.yaml --set train.mom)"
    equal train.momentum= "$(completes foci train config.yaml --set = train.mom)"
    : >some-config.yaml
    equal some-config.yaml "$(completes foci train some-c)"
}
if command -v bash >/dev/null; then check "completion in bash" completion_works; fi

# ------------------------------------------------------------- the pages: README, docs and those of the folders

(cd "$root" && ls ./*.md docs/*.md data/*.md configs/*.md configs/*/*.md src/*/*.md tests/*/*.md) >pages

links_lead_somewhere() {
    while read -r page; do
        grep -o '\](\([^)]*\))' "$root/$page" | sed 's/^](//; s/)$//; s/#.*//' | grep -v '^http' | while read -r to; do
            [ -e "$root/$(dirname "$page")/$to" ] || echo "$page: $to"
        done
    done <pages >missing
    equal "" "$(cat missing)"
}
check "links lead somewhere" links_lead_somewhere

# Words in capitals are for the reader to fill in; a file that the page itself has (```c NAME) is there to be added.
folders='(src|include|tests|configs|docs|scripts|examples)'
paths_exist() {
    while read -r page; do
        grep -oE "(^|[^A-Za-z/_.-])$folders/[A-Za-z0-9_.*/-]*[A-Za-z0-9_*/]" "$root/$page" | sed 's/^[^a-z]//' |
            awk '/README\.md$/ || !/(^|[\/_])[A-Z]+([\/_.]|$)/' | sort -u | while read -r path; do
            (cd "$root" && ls -d $path >/dev/null 2>&1) || grep -qxF "\`\`\`c ${path##*/}" "$root/$page" ||
                echo "$page: $path"
        done
    done <pages >missing
    equal "" "$(cat missing)"
}
check "paths exist" paths_exist

# `name.c` in the README of a room is a file of the room, `room/name.c` one of another.
rooms_name_their_files() {
    for room in "$root"/src/*/; do
        [ -e "$room/README.md" ] || echo "$room: README.md"
        grep -so '`[a-z0-9_*/]*\.[ch]`' "$room/README.md" | tr -d '`' | sort -u | while read -r name; do
            case $name in foci/*) base=$root/include ;; */*) base=$root/src ;; *) base=$room ;; esac
            (cd "$base" && ls -d $name >/dev/null 2>&1) || echo "$room: $name"
        done
    done >missing
    equal "" "$(cat missing)"
}
check "rooms name their files" rooms_name_their_files

# Command lines in blocks of code and in backticks, without "foci".
spoken() { # PAGE
    awk '/^```/ { block = !block; next }
         block { line = line $0; if (sub(/\\$/, "", line)) next; print line; line = "" }' "$root/$1" |
        grep -o 'build/foci [^;&|#<>)]*' | sed 's/^build.foci //'
    grep -o '`foci [^`]*`' "$root/$1" | sed 's/^`foci //; s/`$//'
}
says_right() { # WORD...
    case $1 in *[!a-z]*) return 0 ;; esac
    command=$1
    case ${2:-} in '' | *[!a-z]*) ;; *) command="$1 $2" ;; esac
    case ${3:-} in '' | *[!a-z]*) ;; *) grep -qx "$command $3" commands && command="$command $3" ;; esac
    grep -qx -e "$1" -e "$command" commands || { echo "no command $command"; return; }
    "$foci" $command --help >help 2>&1
    for word; do
        case $word in
        --*) grep -q -e "${word%%=*}\>" help || echo "foci $command has no $word" ;;
        [a-z]*.[a-z]*=*) case ${before:-} in --set | --vary) grep -qx "${word%%=*}" keys || echo "no key $word" ;; esac ;;
        esac
        before=$word
    done
}
commands_are_right() {
    awk '/^### / { section = $2 == "top" ? "" : $2 "." } /^\| `/ { gsub("`", "", $2); print section $2 }' reference >keys
    while read -r page; do
        spoken "$page" | while read -r words; do
            set -f
            says_right $words | sed "s|^|$page: |"
        done
    done <pages >wrong
    equal "" "$(cat wrong)"
}
check "command lines of the pages" commands_are_right
pages_are_read() {
    [ "$(grep -c . pages)" -gt 30 ] || wrong "few pages" "$(cat pages)"
    [ "$(for p in README.md docs/results.md; do spoken $p; done | grep -c .)" -gt 25 ] || wrong "few command lines"
}
check "there are pages to read" pages_are_read

manual_is_clean() { equal "" "$(groff -man -Tascii -ww -z man 2>&1)"; }
if command -v groff >/dev/null; then check "the manual page has no errors" manual_is_clean; fi
finish
