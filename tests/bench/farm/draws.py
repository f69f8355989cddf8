"""The numbers of tests/bench/common/draws.hpp: arrivals and work as a function of seed and index."""
import math

ARRIVAL, SERVICE, FAULT = 1, 2, 3
_MASK = (1 << 64) - 1


def _mixed(value):
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def uniforms(seed, stream, count):
    """The first `count` of a stream, each between 0 and 1."""
    key = _mixed(_mixed(seed) ^ stream)
    return [((_mixed(key ^ index) >> 11) + 0.5) * 2.0**-53 for index in range(count)]


def exponentials(seed, stream, count):
    """The first `count` of a stream, each exponential with mean 1."""
    return [-math.log(value) for value in uniforms(seed, stream, count)]
