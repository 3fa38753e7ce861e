#!/usr/bin/python3
"""Times training steps of foci and of PyTorch on the same shapes, alternating, and prints medians and ratios.

    tests/bench/compare.py [CASE...] [--dtype fp32,bf16] [--rounds N] [--steps N] [--threads T]

Cases: deit-tiny, vit-cifar10, lm-small, lm-medium, and each of them with -elliptical appended (default: all eight).
A round is one process of each side: `build/foci bench CASE.yaml` and peer.py. Needs Debian's PyTorch:

    apt-get install python3-torch libopenblas0-openmp libjemalloc2

It runs at its strongest: OpenBLAS's OpenMP build and jemalloc with large pages, for its own process only.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import sysconfig

HERE = pathlib.Path(__file__).resolve().parent
FOCI = HERE.parent.parent / "build" / "foci"
LIBRARIES = pathlib.Path("/usr/lib") / (sysconfig.get_config_var("MULTIARCH") or "x86_64-linux-gnu")
CASES = [name + attention for name in ("deit-tiny", "vit-cifar10", "lm-small", "lm-medium") for attention in ("", "-elliptical")]


def run(command, environment=None):
    done = subprocess.run([str(c) for c in command], env={**os.environ, **(environment or {})}, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"compare.py: {command[0]} ended with {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def foci(case, dtype, a):
    config, kind = (case.removesuffix("-elliptical"), "elliptical") if case.endswith("-elliptical") else (case, "softmax")
    return run([FOCI, "bench", HERE / f"{config}.yaml", "--json", "--steps", a.steps, "--threads", a.threads,
                "--set", f"train.dtype={dtype}", "--set", f"attention.kind={kind}"])


def peer(case, dtype, a):
    strongest = {"LD_LIBRARY_PATH": f"{LIBRARIES}/openblas-openmp", "LD_PRELOAD": f"{LIBRARIES}/libjemalloc.so.2",
                 "MALLOC_CONF": "oversize_threshold:1,thp:always,metadata_thp:auto,dirty_decay_ms:-1,muzzy_decay_ms:-1"}
    return run(["/usr/bin/python3", "-W", "ignore", HERE / "peer.py", case, "--dtype", dtype, "--steps", a.steps,
                "--threads", a.threads], strongest)


def check_installed():
    if not FOCI.exists():
        sys.exit("compare.py: build foci first: make")
    for file, package in ((LIBRARIES / "openblas-openmp/libblas.so.3", "libopenblas0-openmp"), (LIBRARIES / "libjemalloc.so.2", "libjemalloc2"),
                          (pathlib.Path("/usr/lib/python3/dist-packages/torch"), "python3-torch")):
        if not file.exists():
            sys.exit(f"compare.py: apt-get install {package}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("case", nargs="*", metavar="CASE")
    arguments.add_argument("--dtype", default="fp32,bf16")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--steps", type=int, default=4)
    arguments.add_argument("--threads", type=int, default=2)
    a = arguments.parse_args()
    if unknown := set(a.case) - set(CASES):
        arguments.error(f"no case {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    check_installed()
    print("| case | type | foci, items/s | share of peak | PyTorch, items/s | foci / PyTorch | resident MB, foci | PyTorch | share |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for case in a.case or CASES:
        for dtype in a.dtype.split(","):
            ours, theirs = zip(*[(foci(case, dtype, a), peer(case, dtype, a)) for _ in range(a.rounds)])
            mid = lambda results, key: statistics.median(r[key] for r in results)
            ratio = statistics.median(o["items_per_s"] / t["items_per_s"] for o, t in zip(ours, theirs))
            print(f"| {case} | {dtype} | {mid(ours, 'items_per_s'):.1f} | {100 * mid(ours, 'mfu'):.0f} % | {mid(theirs, 'items_per_s'):.1f} "
                  f"| {ratio:.2f} | {mid(ours, 'rss_mb'):.0f} | {mid(theirs, 'rss_mb'):.0f} | {mid(ours, 'rss_mb') / mid(theirs, 'rss_mb'):.2f} |",
                  flush=True)


main()
