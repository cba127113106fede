#!/usr/bin/env python3
"""Writes losses.json: total variation, scaled and relative differences, and distances of distributions in float64,
differentiated by PyTorch. The formulas are those of framework/ops/{variation,layer_error,wasserstein}.h, written again.
   tests/golden/make_losses.py > tests/golden/losses.json     (needs python3-torch)"""
import json

import torch
import torch.nn.functional as F

from formula import features


def numbers(tensor):
    return [float("%.9g" % v) for v in tensor.reshape(-1).tolist()]


def leaf(array):
    return torch.tensor(array).requires_grad_()


# --- total variation: pictures of 3 channels -------------------------------------------------------------
def l1(x):
    return 0.5 * ((x[1:] - x[:-1]).abs().mean() + (x[:, 1:] - x[:, :-1]).abs().mean())


def l2(x):
    return 0.5 * ((x[1:] - x[:-1]).pow(2).mean() + (x[:, 1:] - x[:, :-1]).pow(2).mean())


def nine_point(x):
    x = F.pad(x.permute(2, 0, 1)[None], (1, 1, 1, 1), "replicate")[0]
    middle = x[:, 1:-1, 1:-1]
    right, below = x[:, 1:-1, 2:], x[:, 2:, 1:-1]
    falling = x[:, 1:, 1:] - x[:, :-1, :-1]
    rising = x[:, 1:, :-1] - x[:, :-1, 1:]
    return 2 * ((right - middle).pow(2).mean() / 3 + (below - middle).pow(2).mean() / 3
                + falling.pow(2).mean() / 12 + rising.pow(2).mean() / 12)


def variation(kind, height, width, weight, scales):
    x = leaf(features(height, width, 3, 1, rectified=False))
    loss = weight * {"l1": l1, "l2": l2, "nine-point": nine_point}[kind](x * torch.tensor(scales, dtype=torch.float64))
    loss.backward()
    return {"kind": kind, "height": height, "width": width, "weight": weight, "scales": scales, "loss": loss.item(),
            "gradient": numbers(x.grad)}


# --- differences of layers -------------------------------------------------------------------------------
def difference(scaled, of, height, width, channels, weight, factor):
    a, b = leaf(features(height, width, channels, 1)), torch.tensor(features(height, width, channels, 2))
    unit = torch.tensor(1.0, dtype=torch.float64)
    if of == "size":
        unit = factor * b.pow(2).mean().sqrt()
    if of == "variation":
        unit = factor * b.var(dim=(0, 1), unbiased=False).mean().sqrt()
    d = factor * (a - b) / unit
    loss = weight * (d.pow(2).sum() / (d.abs().sum() + 1e-8) if scaled else d.pow(2).mean())
    loss.backward()
    return {"scaled": scaled, "relative_to": of, "shape": [height, width, channels], "weight": weight, "factor": factor,
            "unit": unit.item(), "loss": loss.item(), "gradient": numbers(a.grad)}


# --- distributions: inputs are Gram matrices (C x C, divided by C H W), means and mean squares ------------
def statistics(height, width, channels, seed):
    f = torch.tensor(features(height, width, channels, seed)).reshape(-1, channels)
    gram = (f.T @ f / f.numel()).to(torch.float32).to(torch.float64)  # as the program keeps it
    return gram, f.mean(0), f.pow(2).mean(0)


def root(matrix):
    values, vectors = torch.linalg.eigh(matrix)
    return vectors @ torch.diag(values.clamp(min=0).sqrt()) @ vectors.T


def wasserstein(canvas, style, channels, weight, epsilon, epsilon_relative, relative):
    gram, mean, _ = statistics(*canvas, channels, 1)
    target_gram, target_mean, _ = statistics(*style, channels, 2)
    gram.requires_grad_(), mean.requires_grad_()
    identity = torch.eye(channels, dtype=torch.float64)
    plain = channels * target_gram - torch.outer(target_mean, target_mean)
    ridge = epsilon * (plain.trace() / channels if epsilon_relative else 1.0)
    target = plain + ridge * identity
    own = channels * gram - torch.outer(mean, mean) + ridge * identity
    r = root(target)
    inner = r @ own @ r
    cross = torch.linalg.eigvalsh(0.5 * (inner + inner.T)).clamp(min=0).sqrt().sum()
    loss = (mean - target_mean).pow(2).mean() + (own.trace() + target.trace() - 2 * cross) / channels
    loss = weight * (loss / target_gram.trace() if relative else loss)
    loss.backward()
    return {"canvas": canvas, "style": style, "channels": channels, "weight": weight, "epsilon": epsilon,
            "epsilon_relative": epsilon_relative, "relative": relative, "loss": loss.item(),
            "gram_gradient": numbers(0.5 * (gram.grad + gram.grad.T)), "mean_gradient": numbers(mean.grad)}


def mean_variance(canvas, style, channels, weight, epsilon, epsilon_relative, relative):
    _, mean, square = statistics(*canvas, channels, 1)
    _, target_mean, target_square = statistics(*style, channels, 2)
    mean.requires_grad_(), square.requires_grad_()
    target_variance = target_square - target_mean.pow(2)
    ridge = epsilon * (target_variance.mean() if epsilon_relative else 1.0)
    own = (square - mean.pow(2) + ridge).sqrt()
    loss = (mean - target_mean).pow(2).mean() + (own - (target_variance + ridge).sqrt()).pow(2).mean()
    loss = weight * (loss / target_square.mean() if relative else loss)
    loss.backward()
    return {"canvas": canvas, "style": style, "channels": channels, "weight": weight, "epsilon": epsilon,
            "epsilon_relative": epsilon_relative, "relative": relative, "loss": loss.item(),
            "mean_gradient": numbers(mean.grad), "square_gradient": numbers(square.grad)}


distributions = [
    ([9, 11], [8, 7], 12, 2.0, 1e-4, True, False),
    ([2, 3], [3, 2], 16, 1.0, 1e-2, True, False),  # fewer positions than channels
    ([9, 11], [8, 7], 12, 3.0, 1e-4, False, True),  # crowsonkb's epsilon
]
print(json.dumps({
    "variation": [variation(kind, h, w, 3.0, scales) for kind in ("l1", "l2", "nine-point")
                  for h, w, scales in ((7, 5, [1.0, 1.0, 1.0]), (6, 9, [0.229, 0.224, 0.225]), (2, 2, [1.0, 2.0, 3.0]))],
    "difference": [difference(scaled, of, 5, 6, 4, 2.5, factor) for scaled in (False, True)
                   for of in ("", "size", "variation") for factor in (1.0, 8.0)],
    "wasserstein": [wasserstein(*d) for d in distributions],
    "mean_variance": [mean_variance(*d) for d in distributions],
}))
