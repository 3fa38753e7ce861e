# Sourced behind lib.sh by the tests that train over several hosts: hosts on this machine, each a network namespace with a
# cable to one switch, which is another. POSIX sh; wants root, ip, hostname and Open MPI.
#
#   network HOST...                 plugs them together, and makes ./agent; fails where that is not allowed
#   ./agent HOST COMMAND...         as ssh: runs it there, where hostname says HOST; 255 where no cable is plugged in
#   cable HOST down|up              pulls its cable at the switch, so that neither side is told, and plugs it in again
#   cables_carry RATE               1gbit: no more in each direction
#   left HOST...                    the processes on them
#
# All are gone when the script ends, and whatever still runs on them.
switch=foci-$$
hosts=
host() { echo "$switch-$1"; } # its namespace
left() { for name; do ip netns pids "$(host "$name")"; done; }
scrap() {
    [ -n "$hosts" ] || return
    kill -9 $(left $hosts)
    for name in $hosts; do ip netns del "$(host "$name")"; done
    ip netns del "$switch"
} 2>/dev/null
trap 'scrap; rm -rf "$work"' EXIT

network() {
    hosts=$*
    ip netns add "$switch" && ip -n "$switch" link add name switch type bridge && ip -n "$switch" link set switch up || return 1
    number=0
    for name; do
        number=$((number + 1))
        ip netns add "$(host "$name")" && ip netns exec "$(host "$name")" unshare -u hostname "$name" &&
            ip -n "$switch" link add "$name" type veth peer name net netns "$(host "$name")" &&
            ip -n "$switch" link set "$name" master switch up &&
            ip -n "$(host "$name")" addr add "10.0.0.$number/24" dev net &&
            ip -n "$(host "$name")" link set net up && ip -n "$(host "$name")" link set lo up || return 1
    done
    cat >agent <<SH
#!/bin/sh
host=\$1
shift
[ -n "\$(ip -n $switch link show dev "\$host" up)" ] || exit 255
exec ip netns exec "$switch-\$host" unshare -u sh -c "hostname \$host; \$*"
SH
    chmod +x agent
}
works() { ip -n "$1" link show dev "$2" | grep -q 'state UP'; }
cable() { # once it is plugged in, both sides take up to a second to see it
    ip -n "$switch" link set "$1" "$2"
    [ "$2" = up ] || return 0
    for n in $(seq 100); do
        ! works "$switch" "$1" || ! works "$(host "$1")" net || return 0
        sleep 0.1
    done
    return 1
}
cables_carry() {
    for name in $hosts; do
        tc -n "$switch" qdisc add dev "$name" root tbf rate "$1" burst 128kb latency 50ms &&
            tc -n "$(host "$name")" qdisc add dev net root tbf rate "$1" burst 128kb latency 50ms || return 1
    done
}

# As root, with more processes than cores; what Open MPI leaves lying goes with $work.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_btl_base_warn_component_unused=0 TMPDIR="$work"
export OMPI_MCA_plm_rsh_agent="$work/agent"
