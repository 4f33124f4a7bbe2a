"""What OpenCV makes of small masks and planes: contours, rectangles, scaling, blurring.

    python tools/equality/raster.py fixtures/tasks/raster.json
"""

import json
import sys
from pathlib import Path

import cv2
import numpy as np


def masks(rng: np.random.Generator) -> list[np.ndarray]:
    """Return shapes with a name in geometry, and noise of several densities."""
    listed = [np.zeros((4, 5), np.uint8), np.ones((1, 1), np.uint8), np.ones((3, 4), np.uint8),
              np.ones((1, 6), np.uint8), np.ones((5, 1), np.uint8), np.eye(6, dtype=np.uint8)]
    for size, axes, angle in ((21, (9, 5), 30), (25, (11, 3), 77), (16, (6, 6), 0), (19, (8, 1), 45)):
        ellipse = np.zeros((size, size), np.uint8)
        cv2.ellipse(ellipse, (size // 2, size // 2), axes, angle, 0, 360, 1, -1)
        listed.append(ellipse)
    for angle in (10, 45, 63):
        box = cv2.boxPoints(((14, 13), (16, 7), angle)).round().astype(np.int32)
        listed.append(cv2.fillPoly(np.zeros((27, 29), np.uint8), [box], 1))
    ring = np.zeros((11, 12), np.uint8)
    ring[1:10, 1:10] = 1
    ring[3:8, 3:8] = 0
    ring[5, 5] = 1
    listed.append(ring)
    for density in (0.2, 0.4, 0.5, 0.6, 0.8, 0.9):
        for height, width in ((7, 9), (12, 11), (16, 20)):
            listed.append((rng.random((height, width)) < density).astype(np.uint8))
    return listed


def describe(mask: np.ndarray) -> dict:
    """Return the mask's rows and everything that OpenCV finds in it."""
    contours, hierarchy = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    simple, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    outermost, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    regions = []
    for index, contour in enumerate(contours):
        if hierarchy[0][index][3] != -1:
            continue
        filled = np.zeros_like(mask)
        cv2.drawContours(filled, contours, index, 1, -1)
        holes, child = [], hierarchy[0][index][2]
        while child >= 0:
            holes.append(contours[child][:, 0].tolist())
            cv2.drawContours(filled, contours, child, 0, -1)
            child = hierarchy[0][child][0]
        corners = simple[index][:, 0]
        regions.append({
            "points": contour[:, 0].tolist(),
            "corners": corners.tolist(),
            "holes": sorted(holes),
            "outermost": any(np.array_equal(contour, other) for other in outermost),
            "area": cv2.contourArea(contour),
            "simplified": len(cv2.approxPolyDP(contour, 1.0, True)),
            "filled": int(filled.sum()),
            "rectangle": np.round(cv2.boxPoints(cv2.minAreaRect(corners)).astype(float), 3).tolist(),
        })
    return {"rows": ["".join(map(str, row)) for row in mask.tolist()], "regions": regions}


def scaled(rng: np.random.Generator) -> list[dict]:
    """Return masks pasted at several sizes."""
    listed = []
    for (height, width), target in (((5, 5), (13, 9)), ((4, 6), (3, 3)), ((7, 7), (40, 31)),
                                    ((3, 3), (1, 1)), ((6, 4), (8, 3)), ((1, 1), (5, 4))):
        levels = np.round(rng.random((height, width)), 3).astype(np.float32)
        pasted = (cv2.resize(levels, target) > 0.5).astype(int)
        listed.append({"width": width, "levels": np.round(levels.astype(float), 3).ravel().tolist(),
                       "target": target, "rows": ["".join(map(str, row)) for row in pasted.tolist()]})
    return listed


def sampled() -> list[dict]:
    """Return the source columns that INTER_NEAREST takes."""
    pairs = ((5, 13), (13, 5), (7, 7), (1, 4), (9, 1), (224, 301), (300, 224), (544, 1000))
    return [{"source": source, "target": target, "places": cv2.resize(
        np.arange(source, dtype=np.int32)[None], (target, 1), interpolation=cv2.INTER_NEAREST)[0].tolist()}
        for source, target in pairs]


def blurred(rng: np.random.Generator) -> list[dict]:
    """Return planes under windows of several sides, also larger than the plane."""
    listed = []
    for (height, width), side in (((6, 7), 3), ((6, 7), 5), ((5, 8), 4), ((3, 2), 7), ((1, 5), 3), ((4, 4), 1)):
        plane = np.round(rng.random((height, width)), 3).astype(np.float32)
        result = cv2.blur(np.dstack([plane] * 2), (side, side))[:, :, 0]
        listed.append({"width": width, "side": side, "plane": np.round(plane.astype(float), 3).ravel().tolist(),
                       "blurred": np.round(result.astype(float), 6).ravel().tolist()})
    return listed


def main() -> None:
    """Write the fixture named on the command line."""
    rng = np.random.default_rng(7)
    content = {
        "opencv": cv2.__version__,
        "masks": [describe(mask) for mask in masks(rng)],
        "paste": scaled(rng),
        "nearest": sampled(),
        "blur": blurred(rng),
    }
    Path(sys.argv[1]).write_text(json.dumps(content, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
