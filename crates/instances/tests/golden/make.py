#!/usr/bin/env python3
"""Golden values of polygons, run lengths and COCO's evaluation.

    pip install pycocotools==2.0.11
    python make.py

Writes polygons.json, crowded.json and sparse.json beside itself. All coordinates are quarters
of pixels and all scores 64ths, so that they are the same number as `f32` and as `f64`.
"""
import contextlib, io, json, math, os, random

import numpy as np
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

HERE = os.path.dirname(os.path.abspath(__file__))
MADE_WITH = "pycocotools 2.0.11"


def quarter(value):
    return round(value * 4) / 4


def write(name, value):
    text = json.dumps({"made_with": MADE_WITH, **value}, separators=(",", ":"))
    with open(os.path.join(HERE, name), "w") as file:
        file.write(text + "\n")


def ring(rng, x, y, rx, ry, n):
    """A star-shaped polygon around a point."""
    out = []
    for k in range(n):
        a = 2 * math.pi * (k + 0.6 * rng.random()) / n
        r = 0.5 + 0.5 * rng.random()
        out += [quarter(x + r * rx * math.cos(a)), quarter(y + r * ry * math.sin(a))]
    return out


def one_polygon(rng, case, h, w):
    kind = case % 6
    if kind == 0:                                   # simple, inside
        return ring(rng, w / 2, h / 2, w / 2 - 1, h / 2 - 1, rng.randint(3, 12))
    if kind == 1:                                   # any vertices: crosses itself
        return [quarter(rng.uniform(0, s)) for _ in range(rng.randint(3, 9)) for s in (w - 1, h - 1)]
    if kind == 2:                                   # partly outside
        return [quarter(rng.uniform(-s / 2, 1.5 * s)) for _ in range(5) for s in (w, h)]
    if kind == 3:                                   # tiny
        x, y = rng.uniform(3, w - 3), rng.uniform(3, h - 3)
        return ring(rng, x, y, 2.0, 2.0, rng.randint(3, 6))
    if kind == 4:                                   # whole vertices, one doubled
        p = [float(rng.randint(0, s - 1)) for _ in range(rng.randint(3, 7)) for s in (w, h)]
        return p + p[-2:]
    x, y = rng.randint(1, w - 8), rng.randint(1, h - 8)  # a rectangle
    return [float(v) for v in (x, y, x + 5, y, x + 5, y + 3, x, y + 3)]


def polygons():
    rng, cases = random.Random(5), []
    for case in range(72):
        h, w = rng.randint(12, 48), rng.randint(12, 48)
        shapes = [one_polygon(rng, case, h, w) for _ in range(1 + (case % 7 == 0))]
        merged = rle.merge(rle.frPyObjects(shapes, h, w))
        cases.append({
            "size": [h, w], "polygons": shapes,
            "coco": merged["counts"].decode(),
        })
    boxes = []
    for _ in range(24):
        h, w = rng.randint(8, 40), rng.randint(8, 40)
        x, y = quarter(rng.uniform(-3, w - 1)), quarter(rng.uniform(-3, h - 1))
        bw, bh = quarter(rng.uniform(0, w)), quarter(rng.uniform(0, h))
        (r,) = rle.frPyObjects(np.array([[x, y, bw, bh]], float), h, w)
        boxes.append({"size": [h, w], "corners": [x, y, x + bw, y + bh],
                      "coco": r["counts"].decode()})
    texts = []
    for _ in range(12):
        h, w = rng.randint(1, 60), rng.randint(1, 60)
        share = rng.choice([0.02, 0.5, 0.98, 0, 1])
        pixels = np.array([[rng.random() < share for _ in range(w)] for _ in range(h)], np.uint8)
        r = rle.encode(np.asfortranarray(pixels))
        flat = pixels.flatten(order="F")
        ends = np.flatnonzero(np.diff(flat)) + 1
        counts = np.diff(np.concatenate([[0], ends, [flat.size]])).tolist()
        counts = ([0] if flat[0] else []) + counts
        texts.append({"size": [h, w], "counts": counts, "text": r["counts"].decode(),
                      "area": int(pixels.sum())})
    a = {"size": [40000, 30000], "counts": [7, 600_000_000, 599_999_993]}
    r = rle.frPyObjects(a, *a["size"])
    texts.append({**a, "text": r["counts"].decode(), "area": int(rle.area(r))})
    write("polygons.json", {"polygons": cases, "boxes": boxes, "texts": texts})


def region(h, w, x, y, bw, bh, corner):
    """A box with its lower right part cut off, as run lengths, and the box around it."""
    shape = [x, y, x + bw, y, x + bw, y + bh * corner, x + bw * corner, y + bh, x, y + bh]
    r = rle.merge(rle.frPyObjects([shape], h, w))
    return r


def scene(seed, images, classes, objects, extra, flood):
    rng = random.Random(seed)
    h, w = 160, 200
    truths, detections = [], []
    for image in range(1, images + 1):
        for _ in range(rng.choice(objects)):
            side = rng.choice([4, 8, 20, 32, 60, 96, 130])
            bw, bh = side, side if rng.random() < 0.4 else quarter(side * rng.uniform(0.5, 1.1))
            x, y = quarter(rng.uniform(0, w - bw)), quarter(rng.uniform(0, max(h - bh, 1)))
            corner = rng.choice([1.0, 1.0, 0.5])
            label = rng.randint(0, classes - 2)     # the last class has no truth
            r = region(h, w, x, y, bw, bh, corner)
            truths.append({"image": image, "class": label, "box": [x, y, x + bw, y + bh],
                           "area": float(rle.area(r)), "crowd": int(rng.random() < 0.12), "rle": r})
            if label == 1 and seed % 2:             # a class that is never found
                continue
            for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
                j = rng.choice([0, 0.02, 0.06, 0.15, 0.3])
                dx, dy, dw, dh = (quarter(side * rng.uniform(-j, j)) for _ in range(4))
                other = label if rng.random() < 0.85 else rng.randint(0, classes - 1)
                b = [x + dx, y + dy, x + dx + max(bw + dw, 1), y + dy + max(bh + dh, 1)]
                detections.append({"image": image, "class": other, "box": b,
                                   "score": rng.randint(1, 32) / 64 + 0.25 * (j < 0.1),
                                   "rle": region(h, w, b[0], b[1], b[2] - b[0], b[3] - b[1],
                                                 rng.choice([corner, 1.0, 0.7]))})
        many = flood if image == 2 else rng.randint(0, extra)
        for _ in range(many):
            bw, bh = rng.randint(2, 9), rng.randint(2, 9)
            x, y = rng.randint(0, w - bw), rng.randint(0, h - bh)
            detections.append({"image": image, "class": 0 if flood and image == 2 else rng.randint(0, classes - 1),
                               "box": [x, y, x + bw, y + bh], "score": rng.randint(1, 64) / 64,
                               "rle": region(h, w, x, y, bw, bh, 1.0)})
    return {"size": [h, w], "images": images, "classes": classes,
            "truths": truths, "detections": detections}


def score(case, kind):
    anns, dets = [], []
    for i, t in enumerate(case["truths"]):
        b = t["box"]
        anns.append({"id": i + 1, "image_id": t["image"], "category_id": t["class"], "area": t["area"],
                     "iscrowd": t["crowd"], "bbox": [b[0], b[1], b[2] - b[0], b[3] - b[1]],
                     "segmentation": t["rle"]})
    for d in case["detections"]:
        b = d["box"]
        out = {"image_id": d["image"], "category_id": d["class"], "score": d["score"]}
        if kind == "bbox":
            out["bbox"] = [b[0], b[1], b[2] - b[0], b[3] - b[1]]
        else:
            out["segmentation"] = d["rle"]
        dets.append(out)
    h, w = case["size"]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {"images": [{"id": i + 1, "height": h, "width": w} for i in range(case["images"])],
                        "categories": [{"id": c} for c in range(case["classes"])], "annotations": anns}
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes(dets), kind)
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    precision, recall = judge.eval["precision"], judge.eval["recall"]
    return {
        "stats": judge.stats.tolist(),
        "recall": recall.flatten().tolist(),        # [T, K, A, M]
        "mean_precision": precision.mean(axis=1).flatten().tolist(),
        "precision_50": precision[0, :, :, 0, 2].flatten().tolist(),    # [R, K]
        "precision_75": precision[5, :, :, 0, 2].flatten().tolist(),
        "scores_50": judge.eval["scores"][0, :, :, 0, 2].flatten().tolist(),
    }


def evaluation():
    for name, case in [("crowded.json", scene(3, 5, 4, [6, 9, 12], 6, 125)),
                       ("sparse.json", scene(8, 14, 3, [0, 0, 1, 2, 3], 2, 0))]:
        expected = {kind: score(case, kind) for kind in ("bbox", "segm")}
        for item in case["truths"] + case["detections"]:
            item["rle"] = item["rle"]["counts"].decode()
        write(name, {**case, "expected": expected})


polygons()
evaluation()
