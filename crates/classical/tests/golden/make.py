"""Prints what OpenCV says of moment invariants of a shape that a formula draws.

    pip install opencv-python-headless
    python make.py

The numbers are in ../it/moments.rs, where the formulas are repeated; from OpenCV 5.0.0.
"""

import cv2
import numpy as np

y, x = np.mgrid[0:48, 0:64].astype(np.int64)
mask = (((x - 20) ** 2 + 2 * (y - 22) ** 2 < 300) | ((x > 25) & (x < 50) & (y > 20) & (y < 31))).astype(np.uint8)
# The least value inside is 0, above which the values count.
grey = (x * 3 + y * y) % 97 * mask
print(mask.sum(), grey[mask > 0].min())
print(cv2.HuMoments(cv2.moments(mask, binaryImage=True)).ravel().tolist())
print(cv2.HuMoments(cv2.moments(grey.astype(np.float32))).ravel().tolist())
