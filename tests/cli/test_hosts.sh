#!/bin/sh
# Training over hosts that have nothing but a network in common: the bits of one process, also where a cable is pulled in the
# middle of a step, which nobody is told. Skipped where no networks can be made, and without Open MPI or its plugin.
. "$(dirname "$0")/lib.sh"
. "$root/tests/cli/network.sh"
skip() {
    echo "skipped: $1"
    check "nothing" true
    finish
}
[ -e "$(dirname "$foci")/foci-openmpi.so" ] && command -v mpirun >/dev/null || skip "no Open MPI, or no plugin for it (make mpi)"
network one two three 2>/dev/null || skip "networks of hosts want root, ip (iproute2) and namespaces"
export FOCI="$foci" RSH="$work/agent" OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive OMPI_MCA_btl=tcp,self
make_images >/dev/null
keys="--set train.shards=4 --set train.epochs=100000 --set train.max_steps=400 --set train.ema_decay=0.9"
keys="$keys --set train.checkpoint_every=25 --set train.log_every=25 --set train.eval_every=200"
limit=100 # seconds, after which a test has hung

alone() { [ -e alone ] || runs train vit.yaml --out alone $keys; }
# train HOST,HOST... RUN OPTION...: a process on each, started from the first of them.
train() {
    on=$1 run=$2
    shift 2
    code=0
    timeout $limit ./agent "${on%%,*}" mpirun -H "$on" "$foci" train vit.yaml --out "$run" $keys "$@" >out 2>err || code=$?
    [ $code -eq 0 ] || cat err
    return $code
}
to_checkpoint() { # RUN: of the job in the background
    job=$!
    until [ -s "$1/state.safetensors" ] || ! kill -0 $job 2>/dev/null; do sleep 0.05; done
}
gone() { # COMMAND...: within 20 seconds it has no processes to tell
    for n in $(seq 200); do
        [ -n "$("$@")" ] || return 0
        sleep 0.1
    done
    wrong "still there:" "$(ps -o pid,args -p $("$@"))"
}
processes_of() { pgrep -f "^$foci train .*--out $1 "; }

as_one() {
    alone
    train one,two,three three
    alike alone three
    train two,three two
    alike alone two
}
check "three hosts, and two" as_one

# mpirun, told by process 0 to end all, waits for the host that it has lost as long as TCP does: here for seconds.
silent() {
    alone
    for name in $hosts; do ip netns exec "$(host $name)" sh -c 'echo 4 >/proc/sys/net/ipv4/tcp_retries2'; done
    train one,two,three silent --set train.timeout=2 &
    to_checkpoint silent
    cable two down
    gone processes_of silent
    code=0
    wait $job || code=$?
    equal 75 "$code"
    contains err '^foci: process [02] on (one|three) waited 2 s for the others \(step [0-9]+: .*\); all are ended; a training goes on with --resume$'
    gone left $hosts
    train three,one silent --resume
    alike alone silent
}
check "a cable is pulled: the processes on both sides end, and others go on" silent
cable two up

goes_on() {
    alone
    export OMPI_MCA_oob_tcp_keepalive_time=1 OMPI_MCA_oob_tcp_keepalive_intvl=1 OMPI_MCA_oob_tcp_keepalive_probes=2
    printf '%s\n' one two three >list
    timeout $limit ./agent one sh "$root/scripts/cluster/mpirun.sh" list vit.yaml --out goes_on $keys >out 2>err &
    to_checkpoint goes_on
    cable three down
    wait $job || wrong "mpirun.sh: exit code $?" "$(cat err)"
    contains err '^mpirun.sh: the training ended with 205 and is started again$'
    contains err '^mpirun.sh: three does not answer$'
    alike alone goes_on
    gone left $hosts
}
check "a cable is pulled: mpirun ends, and mpirun.sh goes on with the hosts that are left" goes_on
finish
