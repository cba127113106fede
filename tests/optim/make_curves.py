#!/usr/bin/python3
"""Curves of torch.optim on functions with closed forms, in float64: make_curves.py > torch_curves.json

The functions are repeated in functions.h. hash(n, seed)[k], k = 0..n-1, is exact in any language:
x = k + seed * 0x9E3779B9; x ^= x>>16; x *= 0x7FEB352D; x ^= x>>15; x *= 0x846CA68B; x ^= x>>16 (mod 2^32), x / 2^32.
"""
import json

import torch

torch.set_num_threads(1)


def hash(n, seed):
    m = 0xFFFFFFFF
    x = (torch.arange(n, dtype=torch.int64) + seed * 0x9E3779B9) & m
    x = x ^ (x >> 16); x = (x * 0x7FEB352D) & m
    x = x ^ (x >> 15); x = (x * 0x846CA68B) & m
    x = x ^ (x >> 16)
    return x.double() / 4294967296.0


def hashed(n, seed, low, high):
    """Rounded to float32, as the C++ side stores it."""
    return (low + (high - low) * hash(n, seed)).float().double()


def quadratic(n):
    a, c = hashed(n, 1, 0.1, 10), hashed(n, 2, -2, 2)
    return (lambda x: 0.5 * (a * (x - c) ** 2).sum()), hashed(n, 3, -4, 4)


def rosenbrock(n):
    start = torch.tensor([-1.2, 1.0] * (n // 2)).float().double()
    return (lambda x: (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()), start


def valley(n):
    """Not a quadratic, neighbours coupled: sum w log(1 + (x - c)^2) + sum (x[i+1] - x[i])^2 / 2."""
    w, c = hashed(n, 4, 0.5, 5), hashed(n, 5, -3, 3)
    return (lambda x: (w * torch.log(1 + (x - c) ** 2)).sum() + 0.5 * ((x[1:] - x[:-1]) ** 2).sum()), hashed(n, 6, -5, 5)


def run(problem, n, steps, make, decay=None):
    f, start = problem(n)
    x = start.clone().requires_grad_(True)
    optimizer, calls, losses = make([x]), [0], []
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=decay[0], gamma=decay[1]) if decay else None

    def closure():
        calls[0] += 1
        optimizer.zero_grad()
        loss = f(x)
        loss.backward()
        return loss

    for _ in range(steps):
        losses.append(float(optimizer.step(closure)))
        if scheduler:
            scheduler.step()
    evaluations = calls[0]
    with torch.no_grad():
        last = float(f(x))
    return {"function": problem.__name__, "elements": n, "losses_before_each_step": losses, "loss_after": last,
            "evaluations": evaluations, "x_after": [x[i].item() for i in (0, n // 3, n - 1)]}


def adam(**options):
    return lambda p: torch.optim.Adam(p, **options)


def lbfgs(**options):
    return lambda p: torch.optim.LBFGS(p, max_iter=1, line_search_fn="strong_wolfe", **options)


curves = {
    "torch": torch.__version__,
    "adam": run(quadratic, 1000, 60, adam(lr=0.3)),
    "adam with decay": run(quadratic, 1000, 60, adam(lr=0.3), decay=(20, 0.5)),
    "adam with other betas": run(valley, 500, 40, adam(lr=0.1, betas=(0.8, 0.99), eps=1e-3)),
    "lbfgs quadratic": run(quadratic, 1000, 12, lbfgs(history_size=10)),
    "lbfgs quadratic, short history": run(quadratic, 1000, 12, lbfgs(history_size=3)),
    "lbfgs rosenbrock": run(rosenbrock, 10, 16, lbfgs(history_size=10)),
    "lbfgs valley": run(valley, 500, 10, lbfgs(history_size=5)),
    "lbfgs valley, small rate": run(valley, 500, 12, lbfgs(history_size=5, lr=0.3)),
    "lbfgs valley, large rate": run(valley, 500, 12, lbfgs(history_size=5, lr=30)),
}
print(json.dumps(curves, indent=1))
