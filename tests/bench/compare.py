#!/usr/bin/python3
"""gramflow beside PyTorch on the same cores: the sides take turns, and ratios of their best times are printed.

Usage: compare.py [--program build/gramflow] [--rounds 3] [--iterations 5] [--mode eager|channels-last|bf16 ...] [WIDTHxHEIGHT ...]
--mode may be given several times: PyTorch as people write it (eager, the default), in the memory format that newer versions are fastest
with, and that with products of 8-bit mantissas, which are other numbers.
Needs Debian's python3-torch; without it the other side is left out and that is said. Run it on a machine that does nothing else.
"""
import argparse, json, pathlib, subprocess, sys

here = pathlib.Path(__file__).resolve().parent


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.strip().splitlines()[-1:]}")
    return json.loads(done.stdout)


def uses_reference_blas():
    """PyTorch multiplies with whatever libblas.so.3 is; the reference one makes it several times slower than it need be."""
    maps = subprocess.run(["/usr/bin/python3", "-c", "import torch; print(open('/proc/self/maps').read())"], capture_output=True, text=True).stdout
    return "/blas/libblas.so" in maps


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--program", default=here.parent.parent / "build" / "gramflow")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--iterations", type=int, default=5)
    options.add_argument("--mode", action="append", choices=["eager", "channels-last", "bf16"])
    options.add_argument("sizes", nargs="*", default=["450x300", "900x600"])
    given = options.parse_args()
    torch = subprocess.run(["/usr/bin/python3", "-c", "import torch"], capture_output=True).returncode == 0
    if not torch:
        print("python3-torch is not installed: only gramflow is timed", file=sys.stderr)
    slow_blas = torch and uses_reference_blas()
    if slow_blas:
        print("PyTorch has no fast BLAS here: these ratios flatter gramflow and are no result; install libopenblas0-openmp", file=sys.stderr)
    modes = given.mode or ["eager"]
    for size in given.sizes:
        width, height = size.split("x")
        ours, theirs = [], {mode: [] for mode in modes}
        for _ in range(given.rounds):
            ours.append(run([given.program, "bench", "--width", width, "--height", height, "--iterations", str(given.iterations), "--json"]))
            for mode in modes if torch else []:
                theirs[mode].append(run(["/usr/bin/python3", here / "torch_baseline.py", width, height, str(given.iterations), mode]))
        best = min(ours, key=lambda one: one["seconds_min"])
        row = {"size": size, "seconds_min": best["seconds_min"], "seconds_median": best["seconds_median"], "peak_rss_mb": best["peak_rss_mb"],
               "planned_mb": best["planned_mb"], "fma_peak_gflops": max(one["fma_peak_gflops"] for one in ours)}
        row["of_direct_roofline"] = best["seconds_min"] / (best["direct_roofline_seconds"] * best["fma_peak_gflops"] / row["fma_peak_gflops"])
        print(json.dumps(row))
        for mode, times in theirs.items():
            if not times:
                continue
            other = min(times, key=lambda one: one["seconds_min"])
            beside = {"size": size, "peer": other["peer"], "mode": mode, "seconds_min": other["seconds_min"], "peak_rss_mb": other["peak_rss_mb"],
                      "times_faster": other["seconds_min"] / best["seconds_min"], "memory_share": best["peak_rss_mb"] / other["peak_rss_mb"]}
            if slow_blas:
                beside["unfair"] = "PyTorch multiplies with the reference BLAS"
            print(json.dumps(beside))


if __name__ == "__main__":
    main()
