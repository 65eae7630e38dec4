"""Co-occurrence matrices and six properties by scikit-image: pictures of 224 x 224 a CPU second.

    pip install scikit-image
    OMP_NUM_THREADS=1 python glcm_skimage.py [FILE]
    python glcm_skimage.py --write FILE FOLDER

The second form reduces the JPEG pictures of FOLDER to grey ones of 224 x 224 bytes, one after the
other, which the first form and the example `glcm_speed` of crates/similarity read. Without a file
both draw the same pictures by a formula.
"""

import pathlib
import sys
import time

import numpy as np
from skimage.feature import graycomatrix, graycoprops

SIZE = 224
ANGLES = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
PROPERTIES = ["contrast", "dissimilarity", "homogeneity", "ASM", "energy", "correlation"]


def write(path, folder):
    from PIL import Image

    with open(path, "wb") as file:
        for picture in sorted(pathlib.Path(folder).glob("*.[jJ][pP]*[gG]")):
            grey = Image.open(picture).convert("L").resize((SIZE, SIZE), Image.BILINEAR)
            file.write(grey.tobytes())


def drawn(number):
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.int64)
    wave = (x * x // (20 + number) + y * 2 + x * y // 40) % 512
    noise = (x * 7919 + y * 104729 + x * y * 31) % 65521 % (4 + number % 9)
    return np.minimum(np.minimum(wave, 511 - wave) + noise, 255).astype(np.uint8)


def one_pass(pictures, levels):
    for picture in pictures:
        quantised = (picture.astype(np.uint16) * levels >> 8).astype(np.uint8)
        matrices = graycomatrix(quantised, [1], ANGLES, levels=levels, symmetric=True, normed=True)
        for name in PROPERTIES:
            graycoprops(matrices, name)


def main():
    if sys.argv[1:2] == ["--write"]:
        write(*sys.argv[2:])
        return
    if len(sys.argv) > 1:
        pictures = np.fromfile(sys.argv[1], dtype=np.uint8).reshape(-1, SIZE, SIZE)
    else:
        pictures = np.stack([drawn(number) for number in range(40)])
    print(f"{len(pictures)} pictures; pictures a CPU second")
    for levels in [256, 32, 16, 8]:
        seconds = []
        for _ in range(3):
            before = time.process_time()
            one_pass(pictures, levels)
            seconds.append(time.process_time() - before)
        print(f"{levels:3} levels: {len(pictures) / min(seconds):.0f}")


main()
