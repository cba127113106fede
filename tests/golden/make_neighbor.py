#!/usr/bin/env python3
"""Writes neighbor.json: NeighborLoss of formula features in float64, differentiated by PyTorch.
   tests/golden/make_neighbor.py > tests/golden/neighbor.json     (needs python3-torch)
The definition is the one in framework/ops/neighbor_loss.h, written again here, random offsets included."""
import json

import torch

from formula import features

MASK = (1 << 64) - 1


def mix(x):
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def below(count, seed, counters):
    bits = mix((seed + 0x9E3779B97F4A7C15) & MASK)
    for c in counters:
        bits = mix(bits ^ ((c + 0x9E3779B97F4A7C15) & MASK))
    return ((bits >> 32) * count) >> 32


def sampled(x, grid, seed, layer, draw, number):
    h, w = x.shape[:2]
    d = max(1, max(h, w) // grid)
    a = below(min(d, h), seed, [layer, draw, number, 0])
    b = below(min(d, w), seed, [layer, draw, number, 1])
    return x[a::d, b::d].reshape(-1, x.shape[2]), [d, a, b]


def unit(x):
    z = x - x.mean(0, keepdim=True)
    return z / z.pow(2).sum(1, keepdim=True).sqrt().clamp(min=1e-4)


def case(canvas, targets, channels, grid, seed, layer, draw, weight):
    x = torch.tensor(features(*canvas, channels, 1)).requires_grad_()
    rows, lattice = sampled(x, grid, seed, layer, draw, 0)
    lattices, ys = [lattice], []
    for number, size in enumerate(targets):
        y, lattice = sampled(torch.tensor(features(*size, channels, 2 + number)), grid, seed, layer, draw, number + 1)
        ys.append(y)
        lattices.append(lattice)
    u, v = unit(rows), unit(torch.cat(ys))
    best = (u @ v.T).detach().argmax(1)
    loss = weight * (1 - (u * v[best]).sum(1).mean())
    loss.backward()
    return {"canvas": canvas, "targets": targets, "channels": channels, "grid": grid, "seed": seed, "layer": layer,
            "draw": draw, "weight": weight, "lattices": lattices, "loss": loss.item(),
            "gradient": [float("%.9g" % g) for g in x.grad.reshape(-1).tolist()]}


print(json.dumps({"cases": [
    case([6, 9], [[7, 9]], 16, 32, 0, 5, 0, 4.0),                  # every position
    case([21, 30], [[30, 17]], 12, 8, 7, 11, 3, 1.0),               # strides 3 and 3
    case([5, 40], [[24, 20], [20, 24], [3, 40]], 20, 5, 3, 2, 9, 2.5),  # several targets of other strides, a map lower than its stride
]}))
