#!/usr/bin/env python3
"""Engines of digital image correlation from PyPI beside ours: one pair of pictures, one thread, one run.

Called by dic.sh, which makes the virtual environments. Every engine gets the same 8-bit pictures, subset and spacing of
points, and its own defaults or recommended settings otherwise. CPU seconds are user and system time of the process.

What is timed: everything from pictures in memory to displacements where an engine allows it. `matching` leaves out
what an engine does once for a picture and calls by itself (look-up tables, first guesses by Fourier transform).
  retrial     choice of filter and, with `auto`, of the order, prepare and correlate: everything
  subsetdic   everything; matching is its region-growing core
  al-dic      everything; matching is its local IC-GN (no global step). Its spacing is a power of two: 4 in place of 5
  pyvale      everything, files read and written included (its one entry point)
  sun-dic     everything from files on; matching is its solver with its search of starting points
  py3dic      OpenCV's pyramidal Lucas-Kanade with py3dic's parameters: order 0, no ZNSSD; not a subset engine

Compiled-on-first-use code is warmed up on a crop first. Errors are over points at least 36 px from every border,
those over 1 px counted apart as bad. bias and std are means of both components' absolute bias and of their deviations.
"""

import argparse
import contextlib
import csv
import io
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

MARGIN = 36
ENGINES = ["retrial", "subsetdic", "al-dic", "pyvale", "sun-dic", "py3dic"]
# Orders of the shape function; `auto` is our default, which chooses one for the pair.
ORDERS = {"retrial": ("auto", 0, 1, 2), "sun-dic": (1, 2), "pyvale": (0, 1, 2), "subsetdic": (1,), "al-dic": (1,), "py3dic": (1,)}


def cpu_s():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Clock:
    """CPU seconds spent inside wrapped functions."""

    def __init__(self):
        self.seconds = 0.0

    def wrap(self, function):
        def timed(*args, **kwargs):
            start = cpu_s()
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds += cpu_s() - start

        return timed


@contextlib.contextmanager
def patched(module, replacements):
    kept = {name: getattr(module, name) for name in replacements}
    for name, value in replacements.items():
        setattr(module, name, value)
    try:
        yield
    finally:
        for name, value in kept.items():
            setattr(module, name, value)


def quiet(function):
    with contextlib.redirect_stdout(io.StringIO()):
        return function()


# One function an engine: (first, deformed, job) -> (x, y, u, v, matching CPU seconds or None).


def subsetdic(first, deformed, job):
    import numpy as np
    import subsetdic.dic as engine

    height, width = first.shape
    half, step = job["subset"] // 2, job["step"]
    seed = (width // 2 // step * step, height // 2 // step * step)
    settings = {
        "dic": {"radius": half, "spacing": step, "cutoff_diffnorm": 1e-4, "cutoff_iteration": 50, "subsettrunc": False},
        "seeds": {"method": "manual", "n_seeds": 1, "manual_positions": [seed]},
        "strain": {"enabled": False},
        "postprocess": {"enabled": False},
    }
    roi = np.zeros((height, width), np.uint8)
    edge = MARGIN - half - 2
    roi[edge : height - edge, edge : width - edge] = 1
    clock = Clock()
    with patched(engine._core, {"rgdic": clock.wrap(engine._core.rgdic)}):
        found = engine.SubsetDIC(settings).run(first.astype(float), deformed.astype(float), roi)
    rows, columns = np.nonzero(found.valid)
    return columns * step, rows * step, found.u[rows, columns], found.v[rows, columns], clock.seconds


def al_dic(first, deformed, job):
    import numpy as np
    import al_dic.core.pipeline as pipeline
    from al_dic import dicpara_default, run_aldic
    from al_dic.core.data_structures import GridxyROIRange

    height, width = first.shape
    step = 1 << (job["step"].bit_length() - 1)
    margin = min(MARGIN, width // 4)
    settings = dicpara_default(
        winsize=job["subset"] - 1,
        winstepsize=step,
        winsize_min=min(step, 8),
        use_global_step=False,
        tol=1e-4,
        img_size=(height, width),
        show_plots=False,
        gridxy_roi_range=GridxyROIRange(gridx=(margin, width - 1 - margin), gridy=(margin, height - 1 - margin)),
        reference_mode="accumulative",
        size_of_fft_search_region=10,
    )
    clock = Clock()
    whole = ["local_icgn"] if hasattr(pipeline, "local_icgn") else []
    parts = ["local_icgn_precompute", "local_icgn_solve_subset", "local_icgn_postprocess"]
    names = whole or [name for name in parts if hasattr(pipeline, name)]
    with patched(pipeline, {name: clock.wrap(getattr(pipeline, name)) for name in names}):
        masks = [np.ones(first.shape), np.ones(first.shape)]
        found = run_aldic(settings, [first / 255.0, deformed / 255.0], masks, compute_strain=False)
    places = np.asarray(found.dic_mesh.coordinates_fem)
    frame = found.result_disp[0]
    moved = frame.U if getattr(frame, "U_accum", None) is None else frame.U_accum
    moved = np.asarray(moved).reshape(-1, 2)
    return places[:, 0], places[:, 1], moved[:, 0], moved[:, 1], clock.seconds


def pyvale(first, deformed, job):
    import cv2
    import numpy as np
    from pyvale import dic

    height, width = first.shape
    half, step = job["subset"] // 2, job["step"]
    with tempfile.TemporaryDirectory() as folder:
        cv2.imwrite(folder + "/ref.tiff", first)
        cv2.imwrite(folder + "/def.tiff", deformed)
        roi = np.zeros((height, width), bool)
        edge = max(MARGIN - half, 0)
        roi[edge : height - edge, edge : width - edge] = True
        dic.calculate_2d(
            reference=folder + "/ref.tiff",
            deformed=folder + "/def.tiff",
            roi_mask=roi,
            seed=[width // 2 // step * step, height // 2 // step * step],
            subset_size=job["subset"],
            subset_step=step,
            shape_function=["RIGID", "AFFINE", "QUAD"][job["order"]],
            num_threads=1,
            max_displacement=16,
            precision=1e-4,
            threshold=0.5,
            output_basepath=folder,
            print_level=0,
        )
        found = dic.import_2d(data=folder + "/dic_results_*.csv", layout="column", binary=False, delimiter=",")
    x, y, u, v = (np.asarray(getattr(found, name), float).ravel() for name in ("ss_x", "ss_y", "u_px", "v_px"))
    if x.size != u.size:
        x, y = (grid.ravel() for grid in np.meshgrid(np.unique(x), np.unique(y)))
    return x, y, u, v, None


def sun_dic(first, deformed, job):
    import cv2
    import sundic.sundic as engine
    from sundic.settings import Settings

    height, width = first.shape
    margin = min(MARGIN, width // 4)
    clock, pictures = Clock(), Clock()
    with tempfile.TemporaryDirectory() as folder:
        cv2.imwrite(folder + "/a0.tif", first)
        cv2.imwrite(folder + "/a1.tif", deformed)
        settings = Settings()
        settings.DebugLevel = 0
        settings.ImageFolder = folder
        settings.CPUCount = 1
        settings.SubsetSize = job["subset"]
        settings.StepSize = job["step"]
        settings.ShapeFunctions = "Affine" if job["order"] == 1 else "Quadratic"
        settings.ReferenceStrategy = "Absolute"
        settings.BackgroundCutoff = 0
        settings.ROI = [margin, margin, width - 2 * margin, height - 2 * margin]
        timed = {
            "_icOptimization_": clock.wrap(engine._icOptimization_),
            "_processImage_": pictures.wrap(engine._processImage_),
        }
        with patched(engine, timed):
            found = engine.planarDICLocal(settings, folder + "/r.dic")[-1]
    columns = (found[..., index].ravel() for index in (0, 1, 5, 11))
    return (*columns, clock.seconds - pictures.seconds)


def py3dic(first, deformed, job):
    import cv2
    import numpy as np

    cv2.setNumThreads(1)
    height, width = first.shape
    columns, rows = np.arange(MARGIN, width - MARGIN, job["step"]), np.arange(MARGIN, height - MARGIN, job["step"])
    points = np.array([(x, y) for x in columns for y in rows], np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 10, 0.03)
    window = (job["subset"], job["subset"])
    moved, _, _ = cv2.calcOpticalFlowPyrLK(first, deformed, points, None, winSize=window, maxLevel=10, criteria=criteria)
    moved = moved.reshape(-1, 2) - points
    return points[:, 0], points[:, 1], moved[:, 0], moved[:, 1], None


PEERS = {"subsetdic": subsetdic, "al-dic": al_dic, "pyvale": pyvale, "sun-dic": sun_dic, "py3dic": py3dic}


def work(job):
    """Inside the environment of an engine: run it and leave points and seconds."""
    import numpy as np

    pictures = np.load(job["pictures"])
    first, deformed = pictures["first"], pictures["deformed"]
    engine = PEERS[job["engine"]]
    if job["engine"] in ("al-dic", "sun-dic"):
        quiet(lambda: engine(first[:200, :200].copy(), deformed[:200, :200].copy(), job))
    seconds, matching = [], []
    for _ in range(job["runs"]):
        start = cpu_s()
        x, y, u, v, inner = quiet(lambda: engine(first, deformed, job))
        seconds.append(cpu_s() - start)
        matching.append(inner)
    np.savez(job["out"], x=x, y=y, u=u, v=v, seconds=seconds)
    print("RESULT " + json.dumps({"seconds": seconds, "matching": matching}), flush=True)


def cases(data, names):
    """Name, reference, deformed, crop (x, y, width, height) or None, imposed displacement."""
    import numpy as np

    def shift(amount):
        return lambda x, y: (0 * x + amount, 0 * y + amount)

    folder = {name: data / f"{name}_{rest}" for name, rest in
              [("sample03", "fft_shift"), ("sample05", "fft_shift_contrast"), ("sample06", "camera_shift"), ("sample14", "varying_strain"),
               ("star1", "star2_wave")]}
    if "sample03" in names:
        place = folder["sample03"]
        yield "sample03", place / "Sample3 Reference.tif", place / "Sample3-003 X0.30 Y0.30 N2 C0 R0.tif", None, shift(0.3)
    if "sample14" in names:
        place = folder["sample14"]
        with open(place / "Sample 14 Commanded Displacement.csv") as table:
            rows = [[float(cell) for cell in row] for row in list(csv.reader(table))[3:] if row and row[0]]
        table = np.array(rows)
        imposed = lambda x, y: (np.interp(x, table[:, 0], table[:, 5]), 0 * y)
        yield "sample14", place / "Sample14 Reference.tif", place / "Sample 14 L5 Amp0.1.tif", (768, 38, 512, 512), imposed
    if "star2" in names:
        place = folder["star1"]
        imposed = lambda x, y: (0 * x, 0.5 * np.cos(2 * np.pi * (y - 250) / (10 + 0.07 * x)))
        yield ("star2", place / "DIC_Challenge_Wave_Reference_Noisy.tif", place / "DIC_Challenge_Wave_Deformed_Noisy.tif",
               (1200, 0, 501, 501), imposed)
    if "sample05" in names:
        place = folder["sample05"]
        for path in sorted(place.glob("Sample5-0*.tif")):
            amount = float(path.name.split("X")[1].split()[0])
            yield f"sample05 {amount:.1f}", place / "Sample5 Reference.tif", path, None, shift(amount)
    if "sample06" in names:
        place = folder["sample06"]
        for path in sorted(place.glob("Pro Dot*.tif")):
            amount = 0.1 * int(path.stem.split("X")[-1])
            yield f"sample06 {amount:.1f}", place / "Reference Image.tif", path, None, shift(amount)


def ours(job, binary, folder, first, deformed):
    """Our example on the same pictures."""
    import numpy as np
    from PIL import Image

    paths = []
    for name, pixels in (("first.png", first), ("deformed.png", deformed)):
        Image.fromarray(pixels).save(f"{folder}/{name}")
        paths.append(f"{folder}/{name}")
    numbers = [str(job[key]) for key in ("subset", "step", "order", "runs")]
    text = subprocess.run([binary, *paths, *numbers], capture_output=True, text=True, check=True).stdout
    lines = text.splitlines()
    points = np.array([[float(cell) for cell in line.split()] for line in lines[1:]])
    seconds = [float(cell) for cell in lines[0][1:].split()]
    return points[:, 0], points[:, 1], points[:, 2], points[:, 3], seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", help="what dic_peers.py tells itself")
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--venvs", type=pathlib.Path)
    parser.add_argument("--binary")
    parser.add_argument("--sets", default="sample03,sample14")
    parser.add_argument("--subsets", default="21,31,41")
    parser.add_argument("--orders", default="auto,1")
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--step", type=int, default=5)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.work:
        work(json.loads(arguments.work))
        return
    import numpy as np
    from PIL import Image

    print("| set | order | subset | engine | points | CPU s | of it matching | points / CPU s | bias | std | RMSE | bad |")
    print("| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
    alone = dict(os.environ, OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
    pooled = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, reference, moved, crop, imposed in cases(arguments.data, arguments.sets.split(",")):
            first, deformed = (np.array(Image.open(path).convert("L")) for path in (reference, moved))
            x0, y0 = 0, 0
            if crop:
                x0, y0, width, height = crop
                first, deformed = (np.ascontiguousarray(a[y0 : y0 + height, x0 : x0 + width]) for a in (first, deformed))
            np.savez(folder + "/pictures.npz", first=first, deformed=deformed)
            for order in (order if order == "auto" else int(order) for order in arguments.orders.split(",")):
                for subset in map(int, arguments.subsets.split(",")):
                    for engine in arguments.engines.split(","):
                        if order not in ORDERS[engine]:
                            continue
                        job = {"engine": engine, "subset": subset, "step": arguments.step, "order": order,
                               "runs": arguments.runs, "pictures": folder + "/pictures.npz", "out": folder + "/out.npz"}
                        label = f"| {name} | {order} | {subset} | {engine} |"
                        if engine == "retrial":
                            x, y, u, v, seconds = ours(job, arguments.binary, folder, first, deformed)
                            matching = None
                        else:
                            python = arguments.venvs / engine / "bin" / "python"
                            ran = subprocess.run([python, __file__, "--work", json.dumps(job)], capture_output=True,
                                                 text=True, env=alone, cwd=folder)
                            lines = [line for line in ran.stdout.splitlines() if line.startswith("RESULT ")]
                            if not lines:
                                print(f"{label} failed: {(ran.stderr.strip().splitlines() or ['?'])[-1][:100]}", flush=True)
                                continue
                            result = json.loads(lines[0][7:])
                            seconds, inner = result["seconds"], result["matching"]
                            matching = None if inner[0] is None else float(np.median(inner))
                            points = np.load(job["out"])
                            x, y, u, v = (points[key].astype(float) for key in "xyuv")
                        height, width = first.shape
                        true_u, true_v = imposed(x + x0, y + y0)
                        errors = np.array([u - true_u, v - true_v])
                        inside = (x >= MARGIN) & (y >= MARGIN) & (x <= width - 1 - MARGIN) & (y <= height - 1 - MARGIN)
                        good = inside & np.isfinite(errors).all(axis=0) & (np.hypot(*errors) < 1.0)
                        errors = errors[:, good]
                        cpu = float(np.median(seconds))
                        bias, spread = np.abs(errors.mean(axis=1)).mean(), errors.std(axis=1).mean()
                        rmse = np.sqrt((errors**2).sum(axis=0).mean())
                        share = "" if matching is None else f"{matching:.2f}"
                        print(f"{label} {len(x)} | {cpu:.3f} | {share} | {len(x) / cpu:,.0f} | {bias:.5f} | {spread:.5f} | "
                              f"{rmse:.5f} | {inside.sum() - good.sum()} |", flush=True)
                        pooled.setdefault((name.split()[0], order, subset, engine), []).append(errors)
    for (name, order, subset, engine), parts in pooled.items():
        if len(parts) > 1:
            errors = np.concatenate(parts, axis=1)
            worst = max(np.abs(part.mean(axis=1)).max() for part in parts)
            print(f"pooled {name} order {order} {subset} px {engine}: RMSE {np.sqrt((errors**2).sum(axis=0).mean()):.5f}, "
                  f"std {errors.std(axis=1).mean():.5f}, largest |bias| of a picture {worst:.5f}, pictures {len(parts)}")


if __name__ == "__main__":
    sys.exit(main())
