"""Writes a narrow VGG-19 with known weights in every way that PyTorch and Keras's h5py would, into a folder.

    make_files.py FOLDER

Every file holds the same weights; reference.safetensors holds them under plain names, written by hand. Needs numpy, torch and
h5py; exits with 77 when one of them is missing.
"""

import argparse
import collections
import json
import os
import struct
import sys

try:
    import h5py
    import numpy
    import torch
except ImportError as problem:
    print(problem)
    sys.exit(77)

WIDTHS = [2, 3, 4, 5, 6]
CONVOLUTIONS = [2, 2, 4, 4, 4]


def layers():
    """(torchvision index, plain name, Keras name, in, out) of each convolution."""
    index, channels = 0, 3
    for block, (width, count) in enumerate(zip(WIDTHS, CONVOLUTIONS), 1):
        for number in range(1, count + 1):
            yield index, f"conv{block}_{number}", f"block{block}_conv{number}", channels, width
            index += 2
            channels = width
        index += 1


def known_weights():
    """Random, but each exact in half precision."""
    generator = numpy.random.default_rng(7)
    weights = {}
    for _, name, _, channels, width in layers():
        for kind, shape in (("weight", (width, channels, 3, 3)), ("bias", (width,))):
            weights[f"{name}.{kind}"] = generator.standard_normal(shape).astype("float16").astype("float32")
    return weights


def put_safetensors(path, tensors, dtype="F32"):
    header, data = {}, b""
    for name, array in tensors.items():
        raw = array.astype({"F32": "<f4", "F16": "<f2"}[dtype]).tobytes()
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def torchvision_names(weights):
    return {
        f"features.{index}.{kind}": weights[f"{name}.{kind}"]
        for index, name, _, _, _ in layers()
        for kind in ("weight", "bias")
    }


def strided(tensor):
    """The same values in another order of memory."""
    return tensor.permute(3, 2, 1, 0).contiguous().permute(3, 2, 1, 0) if tensor.dim() == 4 else tensor


def sharing(tensors):
    """All tensors as views into one storage, with a gap before each."""
    storage = torch.empty(sum(t.numel() + 3 for t in tensors.values()))
    result, at = collections.OrderedDict(), 0
    for name, tensor in tensors.items():
        at += 3
        view = storage[at : at + tensor.numel()].view(tensor.shape)
        view.copy_(tensor)
        result[name] = view
        at += tensor.numel()
    return result


def put_torch(folder, weights):
    plain = collections.OrderedDict((n, torch.from_numpy(a.copy())) for n, a in torchvision_names(weights).items())
    plain["classifier.0.weight"] = torch.zeros(2, 2)
    plain["classifier.0.count"] = torch.tensor(7)
    variants = {
        "plain": plain,
        "strided": collections.OrderedDict((n, strided(t)) for n, t in plain.items()),
        "half": collections.OrderedDict((n, t.half() if t.is_floating_point() else t) for n, t in plain.items()),
        "double": collections.OrderedDict((n, t.double() if t.is_floating_point() else t) for n, t in plain.items()),
        "shared": sharing(plain),
        "parameters": collections.OrderedDict(
            (n, torch.nn.Parameter(t, requires_grad=t.is_floating_point())) for n, t in plain.items()
        ),
        "checkpoint": {"epoch": 3, "best": 0.25, "name": "x", "state_dict": {f"module.{n}": t for n, t in plain.items()}},
        "dict": dict(plain),
        "settings": {
            "state_dict": plain,
            "args": argparse.Namespace(lr=0.1, deep={"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}),
            "counts": collections.Counter("abca"),
            "seen": {1, 2},
            "best": numpy.float64(0.5),
            "dtype": torch.float16,
            "losses": [0.5] * 300000,
            "words": {f"word{i}": i for i in range(50000)},
        },
    }
    module = torch.nn.Module()
    blocks, channels = [], 3
    for width, count in zip(WIDTHS, CONVOLUTIONS):
        for _ in range(count):
            blocks += [torch.nn.Conv2d(channels, width, 3, padding=1), torch.nn.ReLU()]
            channels = width
        blocks.append(torch.nn.MaxPool2d(2))
    module.features = torch.nn.Sequential(*blocks)
    module.load_state_dict({n: t for n, t in plain.items() if n.startswith("features")})
    variants["module"] = module.state_dict()  # with its _metadata attribute
    for name, value in variants.items():
        torch.save(value, os.path.join(folder, f"torch_{name}_new.pth"))
        torch.save(value, os.path.join(folder, f"torch_{name}_legacy.pth"), _use_new_zipfile_serialization=False)
    for protocol in (3, 4):
        torch.save(plain, os.path.join(folder, f"torch_protocol{protocol}_legacy.pth"), pickle_protocol=protocol,
                   _use_new_zipfile_serialization=False)
        torch.save(plain, os.path.join(folder, f"torch_protocol{protocol}_new.pth"), pickle_protocol=protocol)
    torch.save(module, os.path.join(folder, "refused_module.pth"))


def put_keras(folder, weights):
    namings = {
        "old": ("{0}/{0}_W_1:0", "{0}/{0}_b_1:0", {}),
        "new": ("{0}/{0}/kernel:0", "{0}/{0}/bias:0", {}),
        "model": ("model_weights/{0}/{0}/kernel:0", "model_weights/{0}/{0}/bias:0", {}),
        "packed": ("{0}/{0}/kernel:0", "{0}/{0}/bias:0", {"compression": "gzip", "shuffle": True, "fletcher32": True}),
        "half": ("{0}/{0}/kernel:0", "{0}/{0}/bias:0", {"dtype": "<f2"}),
        "big": ("{0}/{0}/kernel:0", "{0}/{0}/bias:0", {"dtype": ">f4"}),
    }
    for naming, (kernel, bias, options) in namings.items():
        for version in ("earliest", "latest"):
            with h5py.File(os.path.join(folder, f"keras_{naming}_{version}.h5"), "w", libver=version) as file:
                file.attrs["layer_names"] = [keras.encode() for _, _, keras, _, _ in layers()]
                file.create_group("block1_pool")
                file.create_dataset("fc1/fc1_W_1:0", data=numpy.zeros((2, 2), "float32"))
                for _, name, keras, _, _ in layers():
                    oihw = weights[f"{name}.weight"]
                    file.create_dataset(kernel.format(keras), data=oihw.transpose(2, 3, 1, 0), **options)
                    file.create_dataset(bias.format(keras), data=weights[f"{name}.bias"], **options)


def put_keras_3(folder, weights):
    """Keras 3's names, and a file behind a user block."""
    with h5py.File(os.path.join(folder, "keras_userblock.h5"), "w", userblock_size=512) as file:
        for _, name, keras, _, _ in layers():
            file.create_dataset(f"{keras}/{keras}/kernel:0", data=weights[f"{name}.weight"].transpose(2, 3, 1, 0))
            file.create_dataset(f"{keras}/{keras}/bias:0", data=weights[f"{name}.bias"])
    with h5py.File(os.path.join(folder, "keras_3.weights.h5"), "w") as file:
        for number, (_, name, _, _, _) in enumerate(layers()):
            module = f"layers/conv2d_{number}" if number else "layers/conv2d"
            file.create_dataset(f"{module}/vars/0", data=weights[f"{name}.weight"].transpose(2, 3, 1, 0))
            file.create_dataset(f"{module}/vars/1", data=weights[f"{name}.bias"])
            file.create_dataset(f"optimizer/vars/{number}", data=weights[f"{name}.bias"])


def main(folder):
    weights = known_weights()
    put_safetensors(os.path.join(folder, "reference.safetensors"), weights)
    put_safetensors(os.path.join(folder, "torchvision_f32.safetensors"), torchvision_names(weights))
    put_safetensors(os.path.join(folder, "torchvision_f16.safetensors"), torchvision_names(weights), "F16")
    put_torch(folder, weights)
    put_keras(folder, weights)
    put_keras_3(folder, weights)
    for name, mean in (("narrow", "order: rgb, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]"),
                       ("narrow-caffe", "order: bgr, scale: 255, mean: [123.68, 116.779, 103.939]")):
        with open(os.path.join(folder, name + ".yaml"), "w", encoding="utf-8") as file:
            file.write(f"name: {name}\ninput: {{{mean}}}\nweights: {{file: {name}.safetensors}}\nlayers:\n")
            before = "1"
            for _, plain, _, channels, width in layers():
                if plain[4] != before:
                    file.write(f"  - {{pool: pool{before}, kind: max}}\n")
                    before = plain[4]
                file.write(f"  - {{conv: {plain}, in: {channels}, out: {width}}}\n")


main(sys.argv[1])
