#!/usr/bin/python3
"""Time and memory by picture size, and what else docs/performance.md tells, as Markdown.

Usage: table.py [--program build/gramflow] [--largest 4096]
Takes about ten minutes on two cores, for which the machine should do nothing else; the largest size takes most of it.
"""
import argparse, json, pathlib, subprocess

here = pathlib.Path(__file__).resolve().parent


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--program", default=here.parent.parent / "build" / "gramflow")
    options.add_argument("--largest", type=int, default=4096)
    given = options.parse_args()

    def bench(*arguments):
        done = subprocess.run([given.program, "bench", "--json", *map(str, arguments)], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(done.stderr.strip())
        return json.loads(done.stdout)

    def alternating(first, second, rounds=3):
        pairs = [(bench(*first)["seconds_min"], bench(*second)["seconds_min"]) for _ in range(rounds)]
        return [min(times) for times in zip(*pairs)]

    print("| picture | seconds an iteration | nanoseconds a pixel | planned | resident at most |\n|---|---|---|---|---|", flush=True)
    size = 256
    while size <= given.largest:
        iterations = max(2, min(10, 4 * 1024 * 1024 // (size * size)))
        one = bench("--width", size, "--height", size, "--iterations", iterations)
        seconds = one["seconds_min"]
        print(f"| {size}x{size} | {seconds:.3f} | {seconds / size / size * 1e9:.0f} | {one['planned_mb']:.0f} MiB | {one['peak_rss_mb']:.0f} MiB |", flush=True)
        size *= 2

    at = ["--width", 450, "--height", 300]
    lbfgs = [(bench(*at, "--optimizer", "lbfgs"), bench(*at)) for _ in range(3)]
    # An iteration of L-BFGS may evaluate more than once; the search's evaluations cost what they cost.
    evaluation = min(one["seconds_median"] * one["iterations"] / one["evaluations"] for one, _ in lbfgs)
    print(f"\nL-BFGS, an evaluation / Adam, an iteration: {evaluation / min(one['seconds_median'] for _, one in lbfgs):.3f}")
    one_thread, two_threads = alternating([*at, "--threads", 1], [*at, "--threads", 2])
    print(f"one thread / two threads: {one_thread / two_threads:.3f}")
    mini, full = alternating([*at, "--network", "vgg19-mini"], at)
    print(f"vgg19-mini / vgg19: 1/{full / mini:.1f}")


if __name__ == "__main__":
    main()
