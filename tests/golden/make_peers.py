#!/usr/bin/env python3
"""Writes peers.json: loss curves of other programs' recipes in float64, from their own formulas written again in PyTorch.
   tests/golden/make_peers.py > tests/golden/peers.json     (needs python3-torch)
jcjohnson  jcjohnson/neural-style with Adam from the content: Gram matrices over CHW, MSE criteria; without total variation,
           which has no value there and leaves out the last row and column. vgg19-mini takes numbers of 57 times less than
           Caffe's, and gives features of about a hundredth: a rate of 0.17 stands for its 10, weights of 5e4 and 1e10 for its
           5 and 100
crowson    crowsonkb/style-transfer-pytorch: W2 distances, nine-point total variation, replicate padding of the first layer, Adam with
           betas 0.9 and 0.99 on the picture itself, clamped to [0, 1]
The network is vgg19-mini, whose weights are in configs/networks; pictures come from formula.py, in 8 bits."""
import json
import os
import struct

import numpy as np
import torch
import torch.nn.functional as F

from formula import formula

torch.set_default_dtype(torch.float64)
HERE = os.path.dirname(os.path.abspath(__file__))
BLOCKS = ((1, 2), (2, 2), (3, 4), (4, 4), (5, 1))
STYLE = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
CONTENT = "relu4_2"
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def weights():
    data = open(os.path.join(HERE, "../../configs/networks/vgg19-mini.safetensors"), "rb").read()
    n = struct.unpack("<Q", data[:8])[0]
    result = {}
    for name, entry in json.loads(data[8:8 + n]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            kind = {"F32": "<f4", "F16": "<f2"}[entry["dtype"]]
            result[name] = torch.tensor(np.frombuffer(data[8 + n + begin:8 + n + end], kind).astype("f8").reshape(entry["shape"]))
    return result


W = weights()


def inside(p):
    return (p - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1)


def features(x, pool, gain, first_padding="constant"):
    out = {}
    for block, count in BLOCKS:
        for j in range(1, count + 1):
            kernel, bias = W[f"conv{block}_{j}.weight"], W[f"conv{block}_{j}.bias"]
            padding = first_padding if (block, j) == (1, 1) else "constant"
            x = F.relu(F.conv2d(F.pad(x, (1, 1, 1, 1), padding), kernel, bias))
            out[f"relu{block}_{j}"] = x
        x = (F.avg_pool2d if pool == "average" else F.max_pool2d)(x, 2) * gain
    return out


def picture(width, height, seed):
    """Smooth enough to have something to look at: the formula's numbers at a quarter of the size, enlarged by repetition."""
    small = np.floor(formula((height // 4) * (width // 4) * 3, seed) * 256).reshape(height // 4, width // 4, 3)
    return torch.tensor(small.repeat(4, 0).repeat(4, 1) / 255).permute(2, 0, 1)[None]


def gram(f):
    m = f[0].flatten(1)
    return m @ m.T / f.numel()


def jcjohnson(content, style, pool, iterations, nudge=0):
    with torch.no_grad():
        wanted = features(inside(content), pool, 1)[CONTENT]
        grams = {k: gram(v) for k, v in features(inside(style), pool, 1).items()}
    x = (inside(content) + nudge).clone().requires_grad_()
    adam = torch.optim.Adam([x], lr=0.17, eps=1e-8)
    curve = []
    for _ in range(iterations):
        now = features(x, pool, 1)
        loss = 5e4 * F.mse_loss(now[CONTENT], wanted) + 1e10 * sum(F.mse_loss(gram(now[l]), grams[l]) for l in STYLE)
        adam.zero_grad()
        loss.backward()
        curve.append(loss.item())
        adam.step()
    return curve


def moments(f):
    m = f[0].flatten(1)
    mean = m.mean(1)
    return mean, m @ m.T / m.shape[1] - torch.outer(mean, mean) + 1e-4 * torch.eye(m.shape[0])


def w2(f, target):
    mean, covariance = moments(f)
    mean_t, covariance_t, root_t = target
    values = torch.linalg.eigvalsh(root_t @ covariance @ root_t).clamp(min=0)
    trace = torch.trace(covariance) + torch.trace(covariance_t) - 2 * values.sqrt().sum()
    return (mean - mean_t).pow(2).mean() + trace / len(mean)


def with_root(mean, covariance):
    values, vectors = torch.linalg.eigh(covariance)
    return mean, covariance, (vectors * values.clamp(min=0).sqrt()) @ vectors.T


def nine_point(x):
    x = F.pad(x, (1, 1, 1, 1), "replicate")
    s1, s2 = x[..., 1:-1, 2:] - x[..., 1:-1, 1:-1], x[..., 2:, 1:-1] - x[..., 1:-1, 1:-1]
    s3, s4 = x[..., 1:, 1:] - x[..., :-1, :-1], x[..., 1:, :-1] - x[..., :-1, 1:]
    return 2 * (s1.pow(2).mean() / 3 + s2.pow(2).mean() / 3 + s3.pow(2).mean() / 12 + s4.pow(2).mean() / 12)


def crowson(content, style, pool, iterations, nudge=0):
    gain = 2.0 if pool == "average" else 1.0
    look = lambda p: features(inside(p), pool, gain, first_padding="replicate")
    shares = [v / 341 for v in (256, 64, 16, 4, 1)]
    with torch.no_grad():
        wanted = look(content)[CONTENT]
        targets = {k: with_root(*moments(v)) for k, v in look(style).items() if k in STYLE}
    x = (content + nudge).clamp(0, 1).clone().requires_grad_()
    adam = torch.optim.Adam([x], lr=0.02, betas=(0.9, 0.99))
    curve = []
    for _ in range(iterations):
        now = look(x)
        loss = (0.015 * F.mse_loss(now[CONTENT], wanted) + 2 * nine_point(x)
                + sum(share * w2(now[l], targets[l]) for share, l in zip(shares, STYLE)))
        adam.zero_grad()
        loss.backward()
        curve.append(loss.item())
        adam.step()
        with torch.no_grad():
            x.clamp_(0, 1)
    return curve


def main():
    content, style = picture(96, 64, 3), picture(96, 72, 4)
    nudges = [0] + [2e-7 * (torch.tensor(formula(96 * 64 * 3, seed)).reshape(1, 3, 64, 96) - 0.5) for seed in range(11, 15)]
    result = {}
    for recipe, unit in ((jcjohnson, 4.4), (crowson, 1)):
        result[recipe.__name__] = {
            "average": recipe(content, style, "average", 20),
            "max": [recipe(content, style, "max", 20, unit * nudge) for nudge in nudges]}
    print(json.dumps({"content": [96, 64, 3], "style": [96, 72, 4], **result}))


main()
