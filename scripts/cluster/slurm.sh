#!/bin/sh
# A training as a job of Slurm: stopped before its time is over, queued again, and gone on with until it is done.
#
#   sbatch -N 8 -t 12:00:00 scripts/cluster/slurm.sh CONFIG --out RUN --set train.shards=64 ...
#
# What stands before the script is sbatch's and replaces the lines below, what stands behind it is foci train's. By itself
# it takes whole machines, with one process on each that has all of the cores; -c CORES --ntasks-per-node=N asks for
# several. The number of processes may be another each time: train.shards decides the bits.
#
# --signal=TERM@SECONDS tells the processes to stop so long before the time is over: long enough for a step and a save.
# They end with 75 then, and the job is queued again, at most RESTARTS times (100). Any other exit code of foci is the
# job's. A job that is cancelled (scancel) is not queued again; `scontrol requeue JOB` goes on with it too.
#
# From the environment of sbatch: FOCI, the program (build/foci), and RESTARTS.
#SBATCH --job-name=foci
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --signal=TERM@300
#SBATCH --requeue
#SBATCH --open-mode=append
set -eu

cores=${SLURM_CPUS_PER_TASK:-$((SLURM_CPUS_ON_NODE / ${SLURM_NTASKS_PER_NODE:-1}))}
export OMP_NUM_THREADS="$cores"
code=0
srun --mpi=pmix --cpus-per-task="$cores" --kill-on-bad-exit=0 "${FOCI:-build/foci}" train "$@" --resume || code=$?
if [ "$code" -eq 75 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt "${RESTARTS:-100}" ]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
