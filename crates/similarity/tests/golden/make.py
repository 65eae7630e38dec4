"""Writes skimage.json: what scikit-image says of pictures that a formula draws.

    pip install scikit-image
    python make.py > skimage.json

The file was written with scikit-image 0.26.0. The formulas are repeated in ../it/skimage.rs.
"""

import json
import math

import numpy as np
from skimage.feature import graycomatrix, graycoprops

PROPERTIES = ["contrast", "dissimilarity", "homogeneity", "ASM", "energy", "correlation", "entropy"]


def waves(height, width):
    """Smooth, with steps of one level between most neighbours."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    return ((x * x // 16 + y * 3 + x * y // 9) % 256).astype(np.uint8)


def noise(height, width):
    """Neighbours have nothing in common."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    return ((x * 7919 + y * 104729 + x * y * 31) % 65521 % 256).astype(np.uint8)


def flat(height, width):
    return np.full((height, width), 77, dtype=np.uint8)


def case(name, draw, height, width, levels, distances, angles, symmetric):
    picture = (draw(height, width).astype(np.int64) * levels // 256).astype(np.uint8)
    counts = graycomatrix(picture, distances, angles, levels=levels, symmetric=symmetric)
    i, j = np.ogrid[0:levels, 0:levels]
    weights = (i * 31 + j * 17) % 101
    offsets = [(d, a) for d in range(len(distances)) for a in range(len(angles))]
    return {
        "picture": name,
        "height": height,
        "width": width,
        "levels": levels,
        "symmetric": symmetric,
        "offsets": [[distances[d], angles[a]] for d, a in offsets],
        # Sums of the counts, each times a number that its place gives.
        "checksums": [int((counts[:, :, d, a].astype(np.int64) * weights).sum()) for d, a in offsets],
        "counts": [counts[:, :, d, a].ravel().tolist() for d, a in offsets] if levels <= 8 else [],
        "properties": [
            [float(graycoprops(counts, p)[d, a]) for p in PROPERTIES] for d, a in offsets
        ],
    }


def main():
    four = [k * math.pi / 4 for k in range(4)]
    cases = []
    for name, draw in [("waves", waves), ("noise", noise)]:
        for levels in [8, 32, 256]:
            for symmetric in [True, False]:
                cases.append(case(name, draw, 61, 83, levels, [1.0], four, symmetric))
    cases.append(case("waves", waves, 40, 30, 16, [1.0, 2.5, 7.0], [-1.0, 0.3, 2.0, 3.1, 4.0], True))
    cases.append(case("waves", waves, 224, 224, 256, [1.0], four, True))
    cases.append(case("flat", flat, 9, 5, 32, [1.0], four, True))
    cases.append(case("noise", noise, 2, 2, 8, [1.0], four, False))
    print(json.dumps(cases, separators=(",", ":")).replace('},{"picture"', '},\n{"picture"'))


main()
