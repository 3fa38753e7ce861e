# Sourced by the tests of the command line: . "$(dirname "$0")/lib.sh". POSIX sh.
#
#   check NAME COMMAND...           one test: runs COMMAND in a subshell that ends at the first command that fails
#   finish                          last line of a script: names the failed tests, exits with 0 or 1
#
# In a test:
#   exits CODE ARGUMENT...          foci ARGUMENT... exits with CODE; its output is left in the files out and err
#   runs ARGUMENT...                ... with 0
#   fails CODE MESSAGE ARGUMENT...  ... with CODE, prints nothing, and its error is exactly "foci: MESSAGE"
#   fails_like CODE REGEX ARGUMENT...   likewise, the first line of the error matching "^foci: REGEX$"
#   equal EXPECTED ACTUAL           two texts
#   same FILE FILE                  two files, byte by byte
#   same_weights FILE FILE          ... but for what their headers say of the data they learnt from
#   alike RUN RUN                   weights and metrics of two runs, all but times
#   contains FILE REGEX             a line of the file matches
#   lacks FILE REGEX                no line does
#   json [KEY...]                   see json.c
#
# All of it happens in $work, a temporary folder.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
foci=${FOCI:-$root/${BUILD:-build}/foci}
case ${BUILD:-build} in *-san) sanitized=1 ;; *) sanitized= ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
cd "$work" || exit 1
export FOCI_CACHE="$work/cache"
failures=

check() {
    check_name=$1
    shift
    echo "[ RUN      ] $check_name"
    (set -e; "$@") >log 2>&1
    if [ $? -eq 0 ]; then
        echo "[       OK ] $check_name"
    else
        cat log
        echo "[  FAILED  ] $check_name"
        failures="$failures$check_name
"
    fi
}

finish() {
    [ -z "$failures" ] && exit 0
    printf '%s' "$failures" | sed 's/^/[  FAILED  ] /'
    exit 1
}

wrong() {
    printf '%s\n' "$@"
    return 1
}

exits() {
    expected=$1
    shift
    code=0
    "$foci" "$@" >out 2>err || code=$?
    [ "$code" -eq "$expected" ] || wrong "foci $*: exit code $code, not $expected" "$(cat out err)"
}
runs() { exits 0 "$@"; }
fails() {
    code=$1 message=$2
    shift 2
    exits "$code" "$@"
    [ ! -s out ] || wrong "foci $*: it printed" "$(cat out)"
    equal "foci: $message" "$(sed -n '/^foci: /,$p' err)"
}
fails_like() {
    code=$1 message=$2
    shift 2
    exits "$code" "$@"
    [ ! -s out ] || wrong "foci $*: it printed" "$(cat out)"
    sed -n '/^foci: /{p;q;}' err >error
    contains error "^foci: $message\$"
}
equal() { [ "$1" = "$2" ] || wrong "expected:" "$1" "but it is:" "$2"; }
same() { cmp "$1" "$2"; }
numbers_of() { tail -c +$(($(od -An -tu8 -N8 "$1") + 9)) "$1"; } # of safetensors
same_weights() {
    numbers_of "$1" >first
    numbers_of "$2" >second
    same first second
}
metrics_of() { sed 's/"\(items_per_s\|data_wait_ms\|elapsed\)": [^,}]*[,}]//g' "$1/metrics.jsonl"; } # but times
alike() {
    for f in last best ema; do
        [ ! -e "$1/$f.safetensors" ] || same "$1/$f.safetensors" "$2/$f.safetensors"
    done
    [ -s "$1/metrics.jsonl" ]
    equal "$(metrics_of "$1")" "$(metrics_of "$2")"
}
contains() { grep -Eq -- "$2" "$1" || wrong "$1: no line matches $2:" "$(head -n 40 "$1")"; }
lacks() { ! grep -Eq -- "$2" "$1" || wrong "$1: a line matches $2:" "$(grep -E -- "$2" "$1")"; }

json() {
    [ -x "$work/json" ] || ${CC:-cc} -o "$work/json" "$root/tests/cli/json.c" -ljansson
    "$work/json" "$@"
}

# Small data sets and a config for each: images and vit.yaml, text and lm.yaml, span.yaml for it, lists and encoder.yaml, scenes
# (./scenes makes such sets) and city.yaml.
make_images() {
    "$foci" data make images images --train 64 --val 40
    cat >vit.yaml <<'YAML'
name: small-vit
model: {kind: vit, img_size: 32, patch_size: 8, embed_dim: 16, depth: 2, num_heads: 2, drop_path: 0.1}
attention: {kind: elliptical}
data: {kind: image_folder, train: images/train, val: images/val}
train: {batch_size: 16, epochs: 20, max_steps: 50, lr: 1.0e-3, warmup_steps: 5, clip: 1, eval_every: 25, log_every: 5}
YAML
}
make_text() {
    "$foci" data make text text --train 20000 --val 3000 --test 2000 --words 300
    cat >lm.yaml <<'YAML'
name: small-lm
model: {kind: lm, context: 16, d_model: 16, depth: 2, num_heads: 2, d_inner: 32, dropout: 0.1, cutoffs: [100], div_val: 2}
attention: {kind: elliptical, scope: causal}
data: {kind: text, train: text/train.txt, valid: text/valid.txt, test: text/test.txt}
train: {batch_size: 8, epochs: 20, max_steps: 50, lr: 1.0e-3, warmup_steps: 5, clip: 1, eval_every: 25, log_every: 5}
YAML
}
make_span() {
    cat >span.yaml <<'YAML'
name: span
model: {kind: lm_span, architecture: rgefeg, context: 8, span: 12, d_model: 16, num_heads: 2, d_inner: 16, experts: 4, dropout: 0.1}
attention: {kind: elliptical, scope: causal}
data: {kind: text, train: text/valid.txt, valid: text/test.txt, test: text/test.txt}
train: {batch_size: 4, epochs: 1, optimizer: adam, lr: 2.0e-3, schedule: constant, warmup_steps: 5, log_every: 1}
YAML
}
make_scenes() {
    ${CC:-cc} -o scenes "$root/tests/cli/scenes.c" -lz && ./scenes city 12 40 30
    cat >city.yaml <<'YAML'
name: city
model: {kind: segmenter, img_size: [30, 34], patch_size: 8, embed_dim: 16, depth: 2, num_heads: 2, decoder_depth: 1}
attention: {kind: elliptical}
data: {kind: segmentation, root: city, classes: 4, test: test, sides: [30, 60], workers: 2}
train: {batch_size: 4, epochs: 20, lr: 5.0e-3, schedule: polynomial, min_lr: 1.0e-5}
YAML
}
make_lists() {
    "$foci" data make listops lists --train 200 --val 40 --test 30 --shortest 3 --longest 30 --depth 4 --args 4
    cat >encoder.yaml <<'YAML'
name: small-encoder
model: {kind: encoder, length: 32, vocab: 16, d_model: 16, depth: 2, num_heads: 2, d_inner: 32, dropout: 0.1}
attention: {kind: elliptical}
data: {kind: listops, train: lists/basic_train.tsv, val: lists/basic_val.tsv, test: lists/basic_test.tsv}
train: {batch_size: 16, epochs: 20, max_steps: 50, lr: 1.0e-3, warmup_steps: 5, clip: 1, eval_every: 25, log_every: 5}
YAML
}
