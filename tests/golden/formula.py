"""The closed formula behind golden files, as in tests/engine/formula.h: the same numbers in every language."""
import numpy as np


def formula(count, seed):
    """count numbers in [0, 1): a 32-bit integer hash of 0 .. count - 1"""
    x = (np.arange(count, dtype=np.uint64) + np.uint64(seed) * np.uint64(0x9E3779B9)) & np.uint64(0xFFFFFFFF)
    x = x.astype(np.uint32)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    return x.astype(np.float64) / 4294967296.0


def features(height, width, channels, seed, rectified=True):
    """A feature map, channels last, in float32's values: 2u - 0.7, negative ones cut off like after a ReLU."""
    values = (2 * formula(height * width * channels, seed) - 0.7).astype(np.float32).astype(np.float64)
    if rectified:
        values = np.maximum(values, 0)
    return values.reshape(height, width, channels)
