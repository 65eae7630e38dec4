#!/usr/bin/env python3
"""Billions of floating-point operations per CPU second of a large f32 matrix product in numpy.

What one core of the machine gives to the best-tuned dense work, for a floor under the other times.
Set `OPENBLAS_NUM_THREADS=1`. The best of nine, because other work on the machine only takes away.
"""

import resource

import numpy

SIZE = 1536


def cpu_s():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def rate(left, right):
    start = cpu_s()
    for _ in range(4):
        left @ right
    return 4 * 2 * SIZE**3 / (cpu_s() - start) / 1e9


if __name__ == "__main__":
    draw = numpy.random.default_rng(0)
    pair = [draw.standard_normal((SIZE, SIZE), dtype=numpy.float32) for _ in range(2)]
    rate(*pair)
    print(f"{max(rate(*pair) for _ in range(9)):.1f}")
