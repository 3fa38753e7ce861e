#!/usr/bin/python3
"""Times training steps of foci and of PyTorch on the same shapes, alternating, and prints medians and ratios.

    tests/bench/compare.py [CASE...] [--dtype fp32,bf16] [--rounds N] [--steps N] [--threads T]
    tests/bench/compare.py [CASE...] --within threads|elliptical|recompute|attention [--batch N] [...]
    tests/bench/compare.py --peer llm.c=DIR [--rounds N] [--threads T]

Cases: deit-tiny, vit-cifar10, lm-small, lm-medium, gpt2-64, gpt2-1024, and each of them with -elliptical appended (default: all
but gpt2-1024, which is large).

Without --within, a round is a process of each side: `foci bench CASE.yaml` and peer.py. PyTorch's processes come in two
speeds, so both ratios are printed: of the paired medians, and of foci's median to PyTorch's fastest process. PyTorch must be
installed; foci itself never needs it:

    apt-get install python3-torch libopenblas0-openmp libjemalloc2

It runs at its strongest, for its own process only: OpenBLAS's OpenMP build, jemalloc with large pages, oneDNN's bf16.

With --peer, llm.c's train_gpt2 in its checkout DIR, where it was made and its starter pack fetched, beside gpt2-64, which is what
it does: 4 windows of 64 tokens in float32.

With --within, foci alone, its ways in turn: one thread and T threads, softmax and elliptical (and for language models elliptical
of causal scope), activations kept and recomputed, softmax and every other attention of `foci list attention`.
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import sysconfig

HERE = pathlib.Path(__file__).resolve().parent
FOCI = pathlib.Path(os.environ.get("FOCI", HERE.parent.parent / "build" / "foci"))
LIBRARIES = pathlib.Path("/usr/lib") / (sysconfig.get_config_var("MULTIARCH") or "x86_64-linux-gnu")
PYTHON = "/usr/bin/python3"  # the one that Debian's PyTorch belongs to
NEEDED = {"python3-torch": "/usr/lib/python3/dist-packages/torch",
          "libopenblas0-openmp": LIBRARIES / "openblas-openmp/libopenblas.so.0",
          "libjemalloc2": LIBRARIES / "libjemalloc.so.2"}
STRONGEST = {"LD_LIBRARY_PATH": str(LIBRARIES / "openblas-openmp"), "LD_PRELOAD": str(LIBRARIES / "libjemalloc.so.2"),
             "MALLOC_CONF": "oversize_threshold:1,thp:always,metadata_thp:auto,dirty_decay_ms:-1,muzzy_decay_ms:-1"}
ELLIPTICAL = "-elliptical"
CASES = [name + attention for name in ("deit-tiny", "vit-cifar10", "lm-small", "lm-medium", "gpt2-64", "gpt2-1024")
         for attention in ("", ELLIPTICAL)]
LARGE = {"gpt2-1024", "gpt2-1024" + ELLIPTICAL}
LLMC = "gpt2-64"


def run(command, environment={}):
    done = subprocess.run([str(c) for c in command], env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"compare.py: this ended with {done.returncode}: {' '.join(map(str, command))}")
    return json.loads(done.stdout.splitlines()[-1])


def foci(case, dtype, a, threads=None, **keys):
    keys = {"train.dtype": dtype, "attention.kind": "elliptical" if case.endswith(ELLIPTICAL) else "softmax", **keys}
    if keys["attention.kind"] == "elliptical":  # which decoders want to be told
        keys.setdefault("attention.scope", "sequence")
    batch = ["--batch", a.batch] if a.batch else []
    return run([FOCI, "bench", HERE / f"{case.removesuffix(ELLIPTICAL)}.yaml", "--json", "--steps", a.steps, "--threads", threads or a.threads,
                *batch, *(f"--set={key}={value}" for key, value in keys.items())])


def attentions(case):
    """The names of those that a case can have: a language model's are causal."""
    text = subprocess.run([str(FOCI), "list", "attention"], stdout=subprocess.PIPE, text=True, check=True).stdout
    rows = [line.split() for line in text.splitlines()]
    return [name for name, causal, *_ in rows if causal == "causal" or not case.startswith(("lm", "gpt"))]


def peer(case, dtype, a):
    return run([PYTHON, "-W", "ignore", HERE / "peer.py", case, "--dtype", dtype, "--steps", a.steps, "--threads", a.threads], STRONGEST)


def llmc(folder, a):
    """The median of its steps, but for the first ones; it is stopped after as many as are asked for."""
    times = []
    with subprocess.Popen(["./train_gpt2"], cwd=folder, env={**os.environ, "OMP_NUM_THREADS": str(a.threads)}, stdout=subprocess.PIPE,
                          text=True) as p:
        for line in p.stdout:
            times += [float(ms) for ms in re.findall(r"took ([0-9.]+) ms", line)]
            if len(times) == 2 + a.steps:
                p.terminate()
                break
    if len(times) < 2 + a.steps:
        sys.exit(f"compare.py: {folder}/train_gpt2 took no {2 + a.steps} steps")
    ms = statistics.median(times[2:])
    return {"step_ms": ms, "items_per_s": 4 * 64 * 1e3 / ms}


def alternate(rounds, *sides):
    """The results of each side, which take turns: [[round 1, round 2, ...], ...]"""
    return list(zip(*([side() for side in sides] for _ in range(rounds))))


def median(results, key):
    return statistics.median(r[key] for r in results)


def ratio(results, others, key="items_per_s"):
    return statistics.median(r[key] / o[key] for r, o in zip(results, others))


def print_row(*cells):
    print("|", " | ".join(str(c) for c in cells), "|", flush=True)


def print_head(*cells):
    print_row(*cells)
    print_row(*["---"] * len(cells))


def beside_pytorch(a):
    print_head("case", "type", "foci, items/s", "of peak", "PyTorch", "its fastest", "foci / PyTorch", "/ its fastest",
               "resident MB, foci", "PyTorch", "foci / PyTorch")
    for case, dtype in a.runs:
        ours, theirs = alternate(a.rounds, lambda: foci(case, dtype, a), lambda: peer(case, dtype, a))
        if ours[0]["parameters"] != theirs[0]["parameters"]:
            sys.exit(f"compare.py: {case} has {ours[0]['parameters']} parameters in foci, {theirs[0]['parameters']} in PyTorch")
        speed, fastest = median(ours, "items_per_s"), max(t["items_per_s"] for t in theirs)
        print_row(case, dtype, f"{speed:.1f}", f"{100 * median(ours, 'mfu'):.0f} %", f"{median(theirs, 'items_per_s'):.1f}", f"{fastest:.1f}",
                  f"{ratio(ours, theirs):.2f}", f"{speed / fastest:.2f}", f"{median(ours, 'rss_mb'):.0f}", f"{median(theirs, 'rss_mb'):.0f}",
                  f"{median(ours, 'rss_mb') / median(theirs, 'rss_mb'):.2f}")


def beside_llmc(a):
    name, _, folder = a.peer.partition("=")
    print_head("case", "type", "foci, ms", "of peak", f"{name}, ms", f"foci / {name}")
    ours, theirs = alternate(a.rounds, lambda: foci(LLMC, "fp32", a), lambda: llmc(folder, a))
    print_row(LLMC, "fp32", f"{median(ours, 'step_ms'):.0f}", f"{100 * median(ours, 'mfu'):.0f} %", f"{median(theirs, 'step_ms'):.0f}",
              f"{ratio(ours, theirs):.2f}")


def within(a):
    ways = {"threads": ("1 thread", {"threads": 1}, [(f"{a.threads} threads", {})]),
            "elliptical": ("softmax", {"attention.kind": "softmax"},
                           [("elliptical", {"attention.kind": "elliptical"}),
                            ("elliptical, causal", {"attention.kind": "elliptical", "attention.scope": "causal"})]),
            "recompute": ("kept", {"train.recompute": "none"}, [("recomputed", {"train.recompute": "block"})]),
            "attention": ("softmax", {"attention.kind": "softmax"}, [])}
    name, keys, others = ways[a.within]
    print_head("case", "type", "", "items/s", "planned MB", "resident MB", f"speed / {name}", f"planned / {name}", f"resident / {name}")
    for case, dtype in a.runs:
        if a.within in ("elliptical", "attention") and case.endswith(ELLIPTICAL):
            continue
        rows = [(name, keys)] + [o for o in others if "causal" not in o[0] or case.startswith(("lm", "gpt"))]
        if a.within == "attention":
            rows += [(kind, {"attention.kind": kind}) for kind in attentions(case) if kind != name]
        results = alternate(a.rounds, *(lambda keys=keys: foci(case, dtype, a, **keys) for _, keys in rows))
        for (way, _), r in zip(rows, results):
            print_row(case, dtype, way, f"{median(r, 'items_per_s'):.1f}", f"{median(r, 'plan_mb'):.1f}", f"{median(r, 'rss_mb'):.0f}",
                      *(f"{ratio(r, results[0], key):.3f}" for key in ("items_per_s", "plan_mb", "rss_mb")))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("case", nargs="*", metavar="CASE")
    arguments.add_argument("--dtype", default="fp32,bf16", help="fp32, bf16 or both, with a comma between (default: both)")
    arguments.add_argument("--rounds", type=int, default=5, help="processes of each side (default: 5)")
    arguments.add_argument("--steps", type=int, default=4, help="steps that a process times, after warm-up (default: 4)")
    arguments.add_argument("--threads", type=int, default=2, help="of both sides (default: 2)")
    arguments.add_argument("--within", choices=("threads", "elliptical", "recompute", "attention"), help="compare foci with itself")
    arguments.add_argument("--peer", metavar="llm.c=DIR", help="compare with llm.c's train_gpt2 in DIR")
    arguments.add_argument("--batch", type=int, help="samples of a step, with --within (default: as the case has it)")
    a = arguments.parse_args()
    if unknown := set(a.case) - set(CASES):
        arguments.error(f"no case {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    if unknown := set(a.dtype.split(",")) - {"fp32", "bf16"}:
        arguments.error(f"--dtype: no type {', '.join(sorted(unknown))}; there are fp32, bf16")
    if a.batch and not a.within:
        arguments.error("--batch goes with --within: PyTorch's side has the batch of the case")
    if min(a.rounds, a.steps, a.threads, a.batch or 1) < 1:
        arguments.error("--rounds, --steps, --threads and --batch are at least 1")
    if not FOCI.exists():
        sys.exit(f"compare.py: there is no {FOCI}; build foci first: make")
    if a.peer and not (a.peer.startswith("llm.c=") and pathlib.Path(a.peer.partition("=")[2], "train_gpt2").exists()):
        arguments.error("--peer llm.c=DIR: a checkout of llm.c in which `make train_gpt2` was run")
    missing = [package for package, file in NEEDED.items() if not pathlib.Path(file).exists()]
    if missing and not a.within and not a.peer:
        sys.exit(f"compare.py: PyTorch is needed beside foci; on Debian or Ubuntu, as root: apt-get install {' '.join(missing)}")
    cases = a.case or [case for case in CASES if case not in LARGE]
    a.runs = [(case, dtype) for case in cases for dtype in a.dtype.split(",")]
    (beside_llmc if a.peer else within if a.within else beside_pytorch)(a)


main()
