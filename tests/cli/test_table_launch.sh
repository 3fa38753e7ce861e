#!/bin/sh
# foci table run --launch: trainings and measurements as steps of a launcher give the table, the results and the weights that
# they give without; stopped and killed it goes on; what is wrong with the words, the launcher or a step is said.
. "$(dirname "$0")/lib.sh"
make_images >/dev/null
cat >t.yaml <<'YAML'
seeds: [0, 1]
set: {train.max_steps: 20, train.shards: 4}
measure:
  clean: val
runs:
  - {name: softmax, config: vit.yaml, set: {attention.kind: softmax}}
  - {name: elliptical, config: vit.yaml}
YAML

words() {
    fails 2 '--launch: no words' table run t.yaml --out wrong --launch ' '
    fails 2 "--launch: \`mpirun -x 'A\`: a quote that is not closed" table run t.yaml --out wrong --launch "mpirun -x 'A"
    fails 2 '--launch: `a | b`: words and quotes, and nothing for a shell to do' table run t.yaml --out wrong --launch 'a | b'
    fails 2 '--launch: `a $(b)`: words and quotes, and nothing for a shell to do' table run t.yaml --out wrong --launch 'a $(b)'
    fails 2 '--launch: `a $FOCI_NO_SUCH`: a variable that is not set' table run t.yaml --out wrong --launch 'a $FOCI_NO_SUCH'
    [ ! -e wrong ]
}
check "words that are none" words
no_launcher() {
    exits 2 table run t.yaml --out none --launch 'no-such-launcher -np 2'
    contains err '^foci: train: softmax, seed 0: cannot start no-such-launcher: No such file or directory$'
    exits 2 sweep vit.yaml --vary train.seed=0 --out none --launch ./vit.yaml
    contains err '^foci: train: run, seed 0: cannot start ./vit.yaml: Permission denied$'
}
check "a launcher that is not there" no_launcher

# Says what it was called with, and starts it.
cat >'a launcher' <<'SH'
#!/bin/sh
printf '<%s>' "$@" >>said
echo >>said
shift 2
exec "$@"
SH
chmod +x 'a launcher'
given() { # the words as they are, the program's path, the command; --threads only if somebody said so
    runs table run t.yaml --out given --jobs 2 --launch "'./a launcher' -x \"two words\""
    equal 8 "$(grep -c '^<-x><two words><' said)"
    contains said "^<-x><two words><$(readlink -f "$foci")><train><vit.yaml><--set>.*<--out><given/runs/[^>]*><--resume>\$"
    lacks said '<--threads>'
    rm said
    runs table run t.yaml --out again --jobs 2 --threads 3 --launch "'./a launcher' -x y"
    contains said '<train>.*<--threads><3>$'
}
check "what a launcher is given" given
failing() { # as a failed training
    exits 1 table run t.yaml --out failing --launch 'sh -c "echo no room >&2; exit 213" -'
    contains err '^warning: train: elliptical, seed 1: it failed, and failing/logs/006.log has no message of foci.s$'
    contains err '^foci: 8 of 8 commands failed \(messages in failing/logs\), first: train: softmax, seed 0: it failed, and '
    contains failing/logs/000.log '^no room$'
}
check "a launcher that fails" failing

launcher=
[ -e "$(dirname "$foci")/foci-openmpi.so" ] && launcher=$(command -v mpirun.openmpi || command -v mpirun)
[ -n "$launcher" ] || { echo "skipped: no Open MPI, or no plugin for it (make mpi)"; finish; }
# As root, and with more processes than cores.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_btl_base_warn_component_unused=0
two="$launcher -np 2"

results() { (cd "$1/results" && grep -r . . | sed 's/"date": "[^"]*"//' | sort); } # but when
whole() { # the same bytes, of the results too
    runs table run t.yaml --out table --jobs 2 --threads 2
    mv table alone
    cp out expected
    runs table run t.yaml --out table --jobs 2 --launch "$two"
    same expected out
    for f in table.md table.csv table.tex table.html; do same alone/$f table/$f; done
    equal "$(results alone)" "$(results table)"
    for run in alone/runs/*; do same "$run/last.safetensors" "table/runs/${run##*/}/last.safetensors"; done
    equal 4 "$(cat table/logs/*.log | grep -c '^step 20/20 ')"
    ! grep 'is work for one process' table/logs/*.log
    runs table run t.yaml --out table
    lacks err '^\['
}
check "a table by two processes: the same bytes" whole

gone() { # none of its steps is left, at least ten seconds later
    for n in $(seq 100); do
        pgrep -f "^$foci (train|eval) .*$1/runs/" >/dev/null || return 0
        sleep 0.1
    done
    wrong "left: $(pgrep -fa "^$foci (train|eval) .*$1/runs/")"
}
cut() { # SIGNAL CODE: at several moments, also while mpirun has nothing yet to hand a signal to
    for after in 0.2 0.5 1 2; do
        timeout 100 "$foci" table run t.yaml --out table --jobs 2 --launch "$two" >/dev/null 2>err &
        pid=$!
        sleep $after
        kill -"$1" "$(pgrep -P $pid -f "^$foci table run")" 2>/dev/null || true
        code=0
        wait $pid || code=$?
        case " 0 $2 " in *" $code "*) ;; *) wrong "exit code $code" "$(cat err)" ;; esac
        gone table
    done
    runs table run t.yaml --out table --jobs 2 --launch "$two"
    same alone/table.csv table/table.csv
    equal "$(results alone)" "$(results table)"
    for run in alone/runs/*; do same "$run/last.safetensors" "table/runs/${run##*/}/last.safetensors"; done
    rm -r table
}
rm -rf table
check "stopped with TERM at several moments" cut TERM 75
check "killed with KILL at several moments" cut KILL 137
saved() { # in the midst of a training
    timeout 100 "$foci" sweep vit.yaml --set train.shards=2 --set train.max_steps=100000 --set train.epochs=100000 \
        --set train.eval_every=1000000 --set train.log_every=5 --out long --launch "$two" >out 2>err &
    pid=$!
    for n in $(seq 500); do
        ! grep -qs '^step ' long/logs/000.log || break
        sleep 0.1
    done
    kill -TERM "$(pgrep -P $pid -f "^$foci sweep")"
    code=0
    wait $pid || code=$?
    equal 75 "$code"
    contains err '^foci: stopped; the same command goes on from there$'
    contains long/logs/000.log '^foci: stopped after step [0-9]+ of 100000; --resume goes on from there$'
    gone long
}
check "a training that is stopped has saved" saved

too_many() { # what the step itself says
    exits 2 table run t.yaml --out many --launch "$launcher -np 5"
    contains err '^foci: 8 of 8 commands failed .*first: train: softmax, seed 0: .*train.shards: 4, fewer than the 5 processes'
}
check "a training that cannot be done by so many" too_many
finish
