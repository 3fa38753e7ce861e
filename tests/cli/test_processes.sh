#!/bin/sh
# Training by several processes over MPI: the same bits for any number of them, killed and resumed at another; and what is
# refused. Open MPI, and MPICH where it is; skipped where neither is.
. "$(dirname "$0")/lib.sh"
plugins=$(dirname "$foci")
launcher=
[ -e "$plugins/foci-openmpi.so" ] && launcher=$(command -v mpirun.openmpi || command -v mpirun)
[ -n "$launcher" ] || { echo "skipped: no Open MPI, or no plugin for it (make mpi)"; echo "[       OK ] nothing to do"; exit 0; }
# As root, and with more processes than cores.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_btl_base_warn_component_unused=0
make_images >/dev/null
make_text >/dev/null
make_span
make_scenes >/dev/null
make_lists >/dev/null
limit=100 # seconds, after which a test has hung

# together P ARGUMENT...: foci by P processes; exits with what the launcher says.
together() {
    count=$1
    shift
    code=0
    timeout $limit "$launcher" -np "$count" "$foci" "$@" >out 2>err || code=$?
}
succeeds() {
    together "$@"
    [ "$code" -eq 0 ] || wrong "$*: exit code $code" "$(tail -n 20 err)"
}
# refused CODE REGEX P ARGUMENT...: told once.
refused() {
    expected=$1 message=$2
    shift 2
    together "$@"
    equal "$expected" "$code"
    contains err "^foci: $message\$"
    equal 1 "$(grep -c '^foci: ' err)"
}

# the_same CONFIG "KEYS" P...: one process, and so many.
the_same() {
    config=$1 keys=$2
    shift 2
    rm -rf one many
    runs train "$config" --out one $keys --threads 2
    for p; do
        succeeds "$p" train "$config" --out many --force $keys --threads $((1 + p % 2))
        alike one many
    done
}
set_keys() { for key; do printf -- ' --set %s' "$key"; done; }
images=$(set_keys train.shards=8 train.max_steps=8 train.eval_every=4 train.ema_decay=0.9 data.mixup=0.8 data.cutmix=1 \
    train.recompute=block train.log_every=1 train.checkpoint_minutes=0.0001)
text=$(set_keys train.shards=8 train.batch_size=16 train.max_steps=160 train.epochs=1 train.eval_every=80 train.log_every=20 \
    train.test_at_end=true)
check "images: mixup, drop path, clipping, averages, recomputing" the_same vit.yaml "$images" 2 3 4 8
check "images: bf16 where the processor has it" the_same vit.yaml "$images --set train.dtype=auto" 3
check "images: sgd, parts of shards" the_same vit.yaml "$images --set train.shards=4 --set train.micro_batch=2 --set train.optimizer=sgd" 3
check "text: adaptive softmax, dropout, a short last window, a test at the end" the_same lm.yaml "$text" 2 3 4 8
check "a model with a memory and experts" the_same span.yaml \
    "$(set_keys train.shards=4 train.max_steps=30 train.eval_every=15 train.ema_decay=0.9)" 2 3
check "segmentation" the_same city.yaml "$(set_keys train.shards=4 train.epochs=2 train.test_at_end=true)" 2 3
unread() { # who reads a scene
    cp -r city worn
    head -c 100 city/images/training/1.png >worn/images/training/1.png
    refused 3 'process 2 on .*: worn/images/training/1.png: .*' 4 train city.yaml --out worn-run --set data.root=worn --set train.shards=4
}
check "a scene is read by the process whose it is" unread
check "sequences" the_same encoder.yaml "$(set_keys train.shards=8 train.max_steps=20 train.eval_every=10)" 3
check "batch normalisation's running statistics" the_same vit.yaml \
    "$(set_keys train.shards=4 train.max_steps=4 model.kind=fan model.img_size=32 model.patch_size=8)" 2 3

# ------------------------------------------------------------------------------------------- stopping, resuming

processes_of() { pgrep -f "^$foci train .*--out $1( |\$)"; }
begin() { # P RUN KEYS...: in the background, up to its first checkpoint
    count=$1 run=$2
    shift 2
    timeout $limit "$launcher" -np "$count" "$foci" train vit.yaml --out "$run" "$@" >out 2>err &
    job=$!
    until [ -s "$run/state.safetensors" ] || ! kill -0 $job 2>/dev/null; do sleep 0.05; done
}
ends_with() { # CODES
    code=0
    wait $job || code=$?
    case " $* " in *" $code "*) ;; *) wrong "exit code $code, not one of $*" "$(cat err)" ;; esac
}
long="$(set_keys train.shards=8 train.max_steps=120 train.epochs=100 train.checkpoint_every=5 train.ema_decay=0.9 train.log_every=1)"
whole() { [ -e whole ] || runs train vit.yaml --out whole $long; }
killed() { # a process at a random moment, gone on with by another number
    whole
    for n in $(seq "${KILLS:-3}"); do
        rm -rf killed
        begin $((n % 3 + 2)) killed $long
        sleep "0.$(awk -v n=$n 'BEGIN { srand(); print int(10 * rand()) }')"
        victim=$(processes_of killed | shuf -n 1)
        [ -z "$victim" ] || kill -9 "$victim" 2>/dev/null || true
        wait $job || true
        succeeds $(((n + 1) % 3 + 2)) train vit.yaml --out killed $long --resume
        alike whole killed
    done
}
check "kill -9 of any process, and another number goes on" killed
stopped() { # any process may be told
    whole
    for n in 1 2; do
        rm -rf stopped
        begin 3 stopped $long
        kill -TERM "$(processes_of stopped | sed -n "${n}p")"
        ends_with 75
        succeeds 2 train vit.yaml --out stopped $long --resume
        alike whole stopped
    done
}
check "one process is told to stop: all save, and exit with 75" stopped
listens() { grep -q '^SigCgt:.*[4-7c-f]...$' "/proc/$1/status"; } # to TERM and its kin
# until_one_listens PROCESSES...: the last of those that the command prints is the victim.
until_one_listens() {
    until victim=$("$@" | tail -n 1) && [ -n "$victim" ] && listens "$victim"; do
        kill -0 $job
        sleep 0.05
    done
}
saved() { # by one process that is told to
    timeout $limit "$launcher" -np 3 "$foci" train vit.yaml --out saved $long \
        $(set_keys train.max_steps=0 train.epochs=1000000 train.eval_every=1000000 train.checkpoint_every=1000000) >out 2>err &
    job=$!
    until_one_listens processes_of saved
    kill -USR1 "$victim"
    until [ -s saved/state.safetensors ]; do
        kill -0 $job
        sleep 0.05
    done
    kill -TERM "$victim"
    ends_with 75
}
check "one process is told to save: all do, and go on" saved
silent() { # a process that hangs
    begin 3 silent $long --set train.timeout=2
    victim=$(processes_of silent | tail -n 1)
    kill -STOP "$victim"
    code=0
    wait $job || code=$?
    kill -KILL "$victim" 2>/dev/null || true
    equal 75 "$code"
    contains err '^foci: process [0-9] on .* waited 2 s for the others \(step [0-9]+: .*\); all are ended; a training goes on with --resume$'
    ! processes_of silent
}
check "silence has an end" silent

slow() { # a process that is held up time and again
    begin 2 slow $long --set train.max_steps=100000 --set train.epochs=100000 --set train.eval_every=100000
    victim=$(processes_of slow | tail -n 1)
    for n in $(seq 100); do
        ! grep -q 'is slow' slow/log.txt || break
        kill -STOP "$victim"
        sleep 0.1
        kill -CONT "$victim"
        sleep 0.05
    done
    kill -TERM "$victim"
    ends_with 75
    contains slow/log.txt '^process [01] on .* is slow: gradients take it [0-9.]+ times as long as the middle one$'
}
check "a process that holds up the others is named" slow

# ------------------------------------------------------------------------------------------------------ refused

few() {
    refused 2 '.*train.shards: 2, fewer than the 3 processes: shards decide the bits and processes do not.*' 3 \
        train vit.yaml --out few --set train.shards=2
    [ ! -e few ]
}
check "more processes than shards" few
divides() {
    fails_like 2 '.*train.shards: 3 does not divide train.batch_size 16' train vit.yaml --set train.shards=3
    fails_like 2 '.*train.micro_batch: 3 does not divide a shard, train.batch_size / train.shards, 8' \
        train vit.yaml --set train.shards=2 --set train.micro_batch=3
}
check "shards and parts that do not divide the batch" divides
told_before() {
    runs train vit.yaml --dry-run --set train.shards=8
    contains out '^shards +8, shared evenly by 1, 2, 4, 8 processes; [0-9.]+ MB of sums in one$'
    runs train vit.yaml --dry-run
    lacks out '^shards'
}
check "a dry run says how many can share evenly" told_before
launched() { # one of four, but alone
    code=0
    OMPI_COMM_WORLD_SIZE=4 "$foci" train vit.yaml --out launched >out 2>err || code=$?
    equal 2 "$code"
    contains err '^foci: one of 4 processes of mpirun of Open MPI, but Open MPI sees 1: the launcher is another'
    code=0
    SLURM_STEP_NUM_TASKS=4 "$foci" train vit.yaml --out launched >out 2>err || code=$?
    equal 2 "$code"
    contains err '^foci: one of 4 processes of srun, which was not told .*--mpi=pmix'
    [ ! -e launched ]
}
check "another launcher" launched
single() {
    together 2 list attention
    equal 2 "$code"
    contains err '^foci: foci list is work for one process, and 2 were started$'
    equal 1 "$(grep -c '^foci: ' err)"
    runs train vit.yaml --out measured --set train.max_steps=5
    runs eval measured --corrupt fog:severity=1
    tail -n 1 out >expected
    succeeds 2 eval measured --corrupt fog:severity=1
    equal "$(cat expected)" "$(tail -n 1 out)"
    equal 'foci eval is work for one process: the first of 2 does it, the others leave' "$(cat err)"
}
check "what is work for one process" single
alone() {
    mkdir -p elsewhere && cp "$foci" elsewhere/foci
    code=0
    OMPI_COMM_WORLD_SIZE=2 elsewhere/foci train vit.yaml --out alone >out 2>err || code=$?
    equal 2 "$code"
    contains err '^foci: one of 2 processes of mpirun of Open MPI: there is no foci-openmpi.so beside the program .*`make mpi` builds it'
    [ ! -e alone ]
}
check "no plugin" alone

# of_two "WORDS OF THE FIRST" "OF THE SECOND": each in a folder of its own, first and second.
of_two() {
    code=0
    timeout $limit "$launcher" -np 1 -wdir "$work/first.d" "$foci" $1 : -np 1 -wdir "$work/second.d" "$foci" $2 >out 2>err || code=$?
    echo $code >code
}
folders() {
    rm -rf first.d second.d
    mkdir first.d second.d
    for d in first.d second.d; do cp -r vit.yaml images "$d"; done
}
common="train vit.yaml --out ../differ --set train.shards=2"
differs() {
    folders
    of_two "$common" "$common --set train.lr=0.5"
    equal 2 "$code"
    contains err '^foci: process 1 on .*: `lr: 0.5.*` here and `lr: 0.001.*` in process 0: together they would come to bits of no one kind$'
    of_two "$common" "$common --set train.dtype=fp32 --set model.num_heads=1"
    contains err '^foci: process 1 on .*: `num_heads: 1` here and `num_heads: 2` in process 0'
    rm "second.d/$(cd second.d && ls images/train/*/* | head -n 1)"
    of_two "$common" "$common"
    equal 2 "$code"
    contains err '^foci: process 1 on .*: `data: .*` here and `data: .*` in process 0'
    equal 1 "$(grep -c '^foci: ' err)"
    [ ! -e differ ]
}
check "another config, other data" differs
spoilt() { # files that go away, in the folder of one of them
    folders
    rm -rf differ
    of_two "$common $long" "$common $long" &
    job=$!
    until [ -s differ/state.safetensors ] || ! kill -0 $job 2>/dev/null; do sleep 0.05; done
    rm -r second.d/images/train
    wait $job
    contains err "^foci: process 1 on .*: .*images/train"
    equal 1 "$(grep -c '^foci: ' err)"
    equal 3 "$(cat code)"
}
check "a data error of one process ends all, and is told once" spoilt

unseen() { # a run's folder that one of them does not see
    folders
    rm -rf differ
    runs train vit.yaml --out first.d/run --set train.shards=2 --set train.max_steps=2
    of_two "train vit.yaml --out run --set train.shards=2 --resume" "train vit.yaml --out run --set train.shards=2 --resume"
    equal 2 "$code"
    contains err '^foci: process 1 on .*: run/last.safetensors: not the file here that process 0 sees;'
}
check "a run that not all see" unseen

# no_number KEYS: what is done about it is the same, and told once.
no_number() {
    keys="$(set_keys train.shards=4 train.optimizer=sgd train.lr=1000 train.schedule=constant train.clip=0 train.warmup_steps=0 \
        train.epochs=100 train.max_steps=300 train.log_every=1 train.eval_every=1000 "$@")"
    rm -rf one many
    exits 5 train vit.yaml --out one $keys
    mv err told
    together 3 train vit.yaml --out many $keys
    equal 5 "$code"
    equal "$(grep '^foci: ' told)" "$(grep '^foci: ' err | sed 's#many/#one/#')"
    equal "$(numbers one)" "$(numbers many)"
    equal "$(grep -c 'left out' one/log.txt)" "$(grep -c 'left out' many/log.txt)"
}
check "no number: left out until there is no hope" no_number train.on_nonfinite=skip
check "no number: back to the last checkpoint, but not for ever" no_number train.on_nonfinite=rollback train.checkpoint_every=2
check "no number: the end" no_number

# Another hash of the same weights, which are the largest that is hashed so, in process 1 alone.
cat >other_hash.c <<'EOF'
#include <stdint.h>
#include <stdlib.h>
uint64_t XXH3_64bits(const void *data, size_t size) {
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    return (uint64_t)(data != NULL) + size + (size > 20000 && rank && rank[0] == '1');
}
EOF
unequal() {
    ldd "$foci" | grep -q xxhash || { echo "the library is linked in: no way to replace it"; return 0; }
    ${CC:-cc} -shared -fPIC -o other_hash.so other_hash.c
    code=0
    timeout $limit "$launcher" -np 2 -x LD_PRELOAD="$work/other_hash.so" "$foci" train vit.yaml --out unequal $long >out 2>err || code=$?
    equal 1 "$code"
    contains err '^foci: the weights of process 1 are not those of process 0 after step 5: .* nothing was written$'
    [ ! -e unequal/state.safetensors ]
}
[ -n "$sanitized" ] || check "weights that differ are not written" unequal

# ------------------------------------------------------------------------------------------------------ evaluations

trained() { [ -e "run-$1" ] || runs train "$1.yaml" --out "run-$1" --set train.max_steps=10; }
# shared RUN ARGUMENT...: one process, and several, print the same; and write the same where they write.
shared() {
    trained "${1#run-}"
    rm -f rows expected.rows
    runs eval "$@" --json
    mv out expected
    [ ! -e rows ] || mv rows expected.rows
    for p in 2 3 4; do
        succeeds $p eval "$@" --json --threads $((1 + p % 2))
        same expected out
        [ ! -e expected.rows ] || same expected.rows rows
        lacks err "^(foci|warning):"
    done
    runs eval "$@"
    mv out expected
    succeeds 3 eval "$@"
    same expected out
}
check "an evaluation of images" shared run-vit
check "an evaluation of images: classes, and what became of each image" shared run-vit --per-class --predictions rows
check "an evaluation of text" shared run-lm
check "an evaluation of text: sliding windows" shared run-lm --walk sliding --split test
check "an evaluation of text: rows, windows that overlap" shared run-lm --walk strided --stride 5 --rows 3
check "an evaluation of text with words swapped" shared run-lm --contaminate word-swap:rate=0.1
check "an evaluation of a model with a memory" shared run-span --rows 2
check "an evaluation of a segmenter" shared run-city --per-class --split test
check "an evaluation of sequences" shared run-encoder --measure test:per-class=true,predictions=rows
sums() { # which go on from an interruption are one's
    trained lm
    runs eval run-lm --json
    mv out expected
    succeeds 2 eval run-lm --out sums.csv --json
    same expected out
    equal 'foci eval is work for one process: the first of 2 does it, the others leave' "$(cat err)"
}
check "an evaluation that keeps its sums" sums
unscored() {
    trained vit
    trained lm
    refused 2 'nowhere is no run folder: .*' 3 eval nowhere
    refused 2 '--per-class is for models that tell classes; one of text has none' 3 eval run-lm --per-class
    refused 6 'no/rows.*' 3 eval run-vit --predictions no/rows
    cp -r images spoilt
    last=$(find spoilt/val -type f | sort | tail -n 1)
    head -c 100 "$last" >cut && mv cut "$last"
    refused 3 "process 2 on .*: $last: .*" 3 eval run-vit --set data.val=spoilt/val
}
check "an evaluation that fails is told once" unscored
unequal_weights() {
    trained vit
    folders
    for d in first.d second.d; do cp -r run-vit "$d/run"; done
    runs train vit.yaml --out other --set train.max_steps=11
    cp other/best.safetensors second.d/run
    of_two "eval run" "eval run"
    equal 2 "$code"
    contains err '^foci: process 1 on .*: `weights: [0-9a-f]{16}` here and `weights: [0-9a-f]{16}` in process 0: together '
    equal 1 "$(grep -c '^foci: ' err)"
    [ ! -s out ]
}
check "an evaluation of other weights" unequal_weights
long_eval="eval run-lm --walk strided --stride 1 --set train.eval_batch=1 --set data.valid=text/train.txt"
evaluating() { pgrep -f "^$foci $long_eval"; }
# told SIGNAL OPTION...: one of two, once it listens.
told() {
    signal=$1
    shift
    trained lm
    timeout $limit "$launcher" -np 2 "$foci" $long_eval "$@" >out 2>err &
    job=$!
    until_one_listens evaluating
    kill -"$signal" "$victim"
}
interrupted() {
    told TERM
    ends_with 75
    contains err '^foci: (process 1 on .*: )?stopped$'
    equal 1 "$(grep -c '^foci: ' err)"
    [ ! -s out ]
}
check "one process of an evaluation is told to stop" interrupted
unheard() {
    told STOP --set train.timeout=2
    ends_with 75
    kill -KILL "$victim" 2>/dev/null || true
    contains err '^foci: process [01] on .* waited [0-9]+ s for the others \((before the )?evaluation.*\); all are ended'
    ! evaluating
}
check "silence in an evaluation has an end" unheard

# ------------------------------------------------------------------------------------------------------- MPICH

other=$(command -v mpiexec.hydra || command -v mpiexec.mpich)
if [ -e "$plugins/foci-mpich.so" ] && [ -n "$other" ]; then
    launcher=$other
    check "MPICH" the_same vit.yaml "$images" 3
    check "MPICH: an evaluation" shared run-vit --per-class --predictions rows
    check "MPICH: a model with a memory" the_same span.yaml "$(set_keys train.shards=4 train.max_steps=20)" 2
fi
finish
