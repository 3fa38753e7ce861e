#!/bin/sh
# scripts/cluster: a job of Slurm that its time limit stops, which is queued again, and a training over hosts of which some
# do not answer, end with the bits of one process; so does a table whose commands are steps of a job. The Slurm is one of
# this machine, with all its files in $work; the hosts are names that a few lines of shell give this machine. Skipped without
# root, Open MPI or its plugin, a part without Slurm.
. "$(dirname "$0")/lib.sh"
skip() {
    echo "skipped: $1"
    check "nothing" true
    finish
}
[ "$(id -u)" = 0 ] || skip "daemons of Slurm and names of hosts want root"
[ -e "$(dirname "$foci")/foci-openmpi.so" ] && command -v mpirun >/dev/null || skip "no Open MPI, or no plugin for it (make mpi)"
unshare -u true 2>/dev/null || skip "no names for hosts (unshare -u)"
export FOCI="$foci" OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_btl_base_warn_component_unused=0
make_images >/dev/null
keys="--set train.shards=4 --set train.epochs=100000 --set train.eval_every=1000000"
keys="$keys --set train.checkpoint_every=500 --set train.log_every=100"
long() { echo "$keys --set train.max_steps=$1"; }

# ------------------------------------------------------------------------------------------------- without a scheduler

steps=4000
alone() { [ -e alone.$steps ] || runs train vit.yaml --out alone.$steps --threads 1 $(long $steps); }
cat >agent <<'SH'
#!/bin/sh
host=$1
shift
[ ! -e "$(dirname "$0")/dead.$host" ] || exit 255
exec unshare -u sh -c "hostname $host; $*"
SH
chmod +x agent
printf '%s\n' '# three hosts' one 'two slots=2' three >hosts
begin() { # RUN: over the hosts, up to its first checkpoint
    rm -f dead.*
    RSH="$work/agent" timeout 300 sh "$root/scripts/cluster/mpirun.sh" hosts vit.yaml --out "$1" $(long $steps) >out 2>err &
    job=$!
    until [ -s "$1/state.safetensors" ] || ! kill -0 $job 2>/dev/null; do sleep 0.05; done
    script=$(pgrep -P $job)
    launcher=$(pgrep -P "$script" mpirun)
}
ends_with() {
    code=0
    wait $job || code=$?
    [ "$code" -eq "$1" ] || wrong "exit code $code, not $1" "$(cat out err)"
}
goes_on() {
    alone
    touch dead.two
    RSH="$work/agent" timeout 300 sh "$root/scripts/cluster/mpirun.sh" hosts vit.yaml --out "$1" $(long $steps) >out 2>err
    contains err '^mpirun.sh: two does not answer$'
    same alone.$steps/last.safetensors "$1/last.safetensors"
}
stopped() {
    begin stopped
    kill -TERM "$script"
    ends_with 75
    contains stopped/log.txt 'stopped|interrupted' || contains err '^foci: stopped after step'
    goes_on stopped
}
check "mpirun.sh is told to stop: it saves, and goes on without a host that does not answer" stopped
told() {
    alone
    begin told
    kill -USR2 "$launcher"
    ends_with 0
    contains err '^mpirun.sh: the training ended with 75 and is started again$'
    same alone.$steps/last.safetensors told/last.safetensors
}
check "the processes are told to stop: mpirun.sh goes on" told
dies() {
    alone
    begin dies
    touch dead.two
    kill -9 $(pgrep -P "$launcher" -f 'hostname two') $(pgrep -P "$(pgrep -P "$launcher" -f 'hostname two')")
    ends_with 0
    contains err '^mpirun.sh: two does not answer$'
    same alone.$steps/last.safetensors dies/last.safetensors
}
check "a host dies: mpirun.sh goes on with the others" dies
refused() {
    code=0
    RSH="$work/agent" sh "$root/scripts/cluster/mpirun.sh" hosts none.yaml >out 2>err || code=$?
    equal 2 "$code"
    lacks err 'started again'
}
check "foci's own exit codes are mpirun.sh's" refused

# --------------------------------------------------------------------------------------------------------------- Slurm

for program in slurmctld slurmd sbatch srun; do
    PATH=$PATH:/usr/sbin command -v $program >/dev/null || { echo "skipped: no $program (scripts/deps.sh --slurm)"; finish; }
done
export SLURM_CONF="$work/slurm.conf"
daemons=
trap 'kill $daemons 2>/dev/null; wait $daemons; rm -rf "$work"' EXIT
node=$(hostname -s)
port=$((20000 + $$ % 10000))
mkdir state spool
# cred_expire is also how long a job waits that is queued again; 5 is the least.
cat >slurm.conf <<CONF
ClusterName=test
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 10000))
SlurmUser=root
AuthType=auth/none
AuthInfo=cred_expire=5
CredType=cred/none
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
MailProg=/bin/true
NodeName=$node NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES State=UP
CONF
PATH=$PATH:/usr/sbin
slurmctld -D >controller 2>&1 &
daemons=$!
slurmd -D -N "$node" >daemon 2>&1 &
daemons="$daemons $!"
for n in $(seq 100); do
    [ "$(sinfo -h -o %T 2>/dev/null)" = idle ] && break
    sleep 0.1
done

# submit OPTION... -- ARGUMENT...: sets job.
submit() {
    options=
    while [ "$1" != -- ]; do
        options="$options $1"
        shift
    done
    shift
    rm -f job.out
    job=$(sbatch --parsable --output=job.out $options "$root/scripts/cluster/slurm.sh" "$@")
}
state() { squeue -h -j "$job" -o %T 2>/dev/null; }
over() { # SECONDS: waits for the end of the job
    for n in $(seq "$1"); do
        case $(state) in PENDING | RUNNING | COMPLETING) sleep 1 ;; *) return 0 ;; esac
    done
    wrong "job $job: $(state) after $1 s" "$(cat job.out; tail -n 20 controller daemon)"
}
exit_code() { scontrol show job "$job" | sed -n 's/.* ExitCode=\([0-9]*\):.*/\1/p'; }
# The signal of --signal comes when Slurm next looks at the limits, every 30 seconds. Until then the processes stand still, so
# that it comes in the midst of a training, however fast that is. Slurm may have made them go on, and they may be over, before
# this script does.
limit() {
    alone
    submit -t 1 -n 2 --ntasks-per-node=2 --signal=TERM@55 -- vit.yaml --out limit $(long $steps)
    until [ -s limit/state.safetensors ] || [ -z "$(state)" ]; do sleep 0.05; done
    pkill -STOP -f "^$foci train .*--out limit "
    for n in $(seq 500); do
        ! grep -q 'STEP .* CANCELLED' job.out || break
        sleep 0.1
    done
    pkill -CONT -f "^$foci train .*--out limit " || true
    over 60
    equal 0 "$(exit_code)"
    contains job.out '^foci: stopped after step [0-9]+ of .*; --resume goes on from there$'
    contains job.out '^resuming after step'
    same alone.$steps/last.safetensors limit/last.safetensors
}
check "a job's time is nearly over: it stops, is queued again, and ends with the same bits" limit
cancelled() {
    submit -t 10 -n 2 --ntasks-per-node=2 -- vit.yaml --out cancelled $keys --set train.max_steps=1000000
    until [ -s cancelled/state.safetensors ] || [ -z "$(state)" ]; do sleep 0.1; done
    scancel "$job"
    over 60
    sleep 8
    equal "" "$(state)"
    [ "$(grep -c '^resuming' job.out)" -eq 0 ]
}
check "a cancelled job is not queued again" cancelled
wrong_config() {
    submit -n 2 --ntasks-per-node=2 -- vit.yaml --out wrong --set train.shards=3
    over 30
    equal 2 "$(exit_code)"
}
check "foci's own exit codes are the job's" wrong_config
steps() { # a table's, stopped and gone on with
    cat >t.yaml <<'YAML'
set: {train.max_steps: 400, train.shards: 2, train.epochs: 1000, train.eval_every: 200, train.log_every: 1}
measure: {clean: val}
runs:
  - {name: softmax, config: vit.yaml, set: {attention.kind: softmax}}
  - {name: elliptical, config: vit.yaml}
YAML
    runs table run t.yaml --out table
    srun="srun --mpi=pmix -n2 --exclusive" code=0
    salloc -n 2 "$foci" table run t.yaml --out steps --jobs 2 --launch "$srun" >out 2>err &
    job=$!
    for n in $(seq 300); do
        ! grep -qs '^step 20/' steps/logs/*.log || break
        sleep 0.1
    done
    kill -TERM "$(pgrep -P $job -f "^$foci table run")"
    wait $job || code=$?
    equal 75 "$code"
    cat steps/logs/*.log >said
    contains said '^foci: stopped after step [0-9]+ of 400; --resume goes on from there$'
    salloc -n 2 "$foci" table run t.yaml --out steps --jobs 2 --launch "$srun" >out 2>err
    same table/table.csv steps/table.csv
}
check "a table's trainings and measurements as steps of a job" steps
finish
