#!/bin/sh
# How long gradients and weights travel over cables of 1 Gb/s between two hosts, which are this machine (tests/cli/network.sh),
# and how long their bytes alone would: the table of docs/scale.md. As root, with Open MPI, its plugin (make mpi) and tc.
#   tests/bench/hosts.sh
. "$(dirname "$0")/../cli/lib.sh"
. "$root/tests/cli/network.sh"
network one two && cables_carry 1gbit || exit 1

middle() { cut -d ' ' -f "$1" figures | sort -n | sed -n 2p; } # of three turns
# measure CONFIG PROCESSES: so many on each host. Each sends half of its 4 n bytes to the other host.
measure() {
    for turn in 1 2 3; do
        ./agent one mpirun -H "one:$2,two:$2" --bind-to none "$foci" bench "$root/tests/bench/$1.yaml" \
            --set train.shards=$(($2 * 2)) --threads 1 --steps 5 --json >out || exit 1
        json exchange_ms share_ms parameters <out | paste -sd ' '
    done >figures
    echo "$1 $2 $(middle 1) $(middle 2) $(middle 3)" | awk '{
        bytes = $2 * 2 * $5 / 125e3
        printf "| %s | %d | %.0f | %.0f | %.0f | %.2f, %.2f |\n", $1, $2, $3, $4, bytes, $3 / bytes, $4 / bytes
    }'
}
echo "| | processes on each host | exchange, ms | share, ms | bytes / bandwidth, ms | times that |"
echo "|---|---|---|---|---|---|"
measure deit-tiny 1
measure deit-tiny 2
measure lm-small 1
