#!/bin/sh
# A training over hosts without a scheduler: started on those that answer, and again on those that still do.
#
#   scripts/cluster/mpirun.sh HOSTS CONFIG --out RUN --set train.shards=64 ...
#   timeout --foreground --preserve-status 11h scripts/cluster/mpirun.sh ...
#
# HOSTS is a file of lines `NAME` or `NAME slots=N`: N processes there, or one, which has all cores. All hosts have foci,
# Open MPI, the data and RUN under the same paths. What follows is foci train's.
#
# Where a host or a process dies, or foci ends with 75 (a process was told to stop, or was silent for train.timeout), it is
# started again with --resume, at most RESTARTS times (20): train.shards decides the bits, not who is there. Any other exit
# code of foci (0 to 6) is the script's. TERM or Ctrl-C to the script, as from the `timeout` above, stops the training,
# which saves; the script ends with 75.
#
# From the environment: FOCI, the program (build/foci); RSH, what reaches a host (ssh); RESTARTS.
set -eu

if [ $# -lt 2 ] || [ ! -r "$1" ]; then
    echo "usage: scripts/cluster/mpirun.sh HOSTS CONFIG [OPTION OF foci train]..." >&2
    exit 2
fi
hosts=$1
shift
foci=$(readlink -f "${FOCI:-build/foci}")
rsh=${RSH:-ssh -o BatchMode=yes -o ConnectTimeout=10}
restarts=${RESTARTS:-20}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# mpirun hands SIGUSR2 to the processes, which stop as at TERM. TERM to mpirun would end them before they have saved.
stopped= job=
stop() {
    stopped=1
    [ -z "$job" ] || kill -USR2 "$job" 2>/dev/null || :
}
trap stop TERM INT

# Those hosts that answer, all tried at the same time.
look() {
    rm -f "$work"/answer.*
    sed 's/#.*//' "$hosts" | awk 'NF { print $1, $2 ? $2 : "slots=1" }' >"$work/all"
    while read -r name slots; do
        { timeout 20 $rsh "$name" true </dev/null >/dev/null 2>&1 && : >"$work/answer.$name"; } &
    done <"$work/all"
    wait || :
    while read -r name slots; do
        if [ -e "$work/answer.$name" ]; then echo "$name $slots"; else echo "mpirun.sh: $name does not answer" >&2; fi
    done <"$work/all" >"$work/hosts"
}

# These end mpirun some 25 seconds after a host went away without a word.
export OMPI_MCA_oob_tcp_keepalive_time="${OMPI_MCA_oob_tcp_keepalive_time:-10}"
export OMPI_MCA_oob_tcp_keepalive_intvl="${OMPI_MCA_oob_tcp_keepalive_intvl:-5}"
export OMPI_MCA_oob_tcp_keepalive_probes="${OMPI_MCA_oob_tcp_keepalive_probes:-3}"

# Sets code.
train() {
    processes=$(awk -F = '{ n += $2 } END { print n }' "$work/hosts")
    mpirun -np "$processes" --hostfile "$work/hosts" --bind-to none --mca plm_rsh_agent "$rsh" \
        "$foci" train "$@" --resume &
    job=$!
    while # a signal ends the waiting, not the job
        code=0
        wait "$job" || code=$?
        kill -0 "$job" 2>/dev/null
    do :; done
    job=
}

while :; do
    look
    [ -z "$stopped" ] || exit 75
    [ -s "$work/hosts" ] || { echo "mpirun.sh: no host answers" >&2; exit 75; }
    train "$@"
    case $code in [0-6]) exit "$code" ;; esac
    [ -z "$stopped" ] && [ "$restarts" -gt 0 ] || exit "$code"
    restarts=$((restarts - 1))
    echo "mpirun.sh: the training ended with $code and is started again" >&2
done
