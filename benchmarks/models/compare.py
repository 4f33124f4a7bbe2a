"""Compare Straylight with the libraries' own predictions, and write the table.

    python compare.py STRAYLIGHT MODELS [RESULTS.md]

The photos must be all that their folder holds. For each exported model: `deployment init` and `predict`, nothing edited. Where `init` asks, the row says so,
and the line that it proposes (the one that is true for the model) is tried as well.
"""

import json
import math
import os
import subprocess
import sys
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

SCORE, PIXELS, AREA = 0.003, 1.0, 0.02


def run(*words) -> subprocess.CompletedProcess:
    """Run Straylight."""
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)


def read(annotations: list) -> list[dict]:
    """Return Straylight's annotations in the form of the exporters; points go to the box before them."""
    found = []
    for one in annotations:
        shape, label = one["shape"], one["labels"][0]
        if shape["type"] == "KEYPOINT":
            found[-1].setdefault("points", []).append([shape["x"], shape["y"]])
            continue
        item = {"label": label["name"], "score": label["probability"], "type": shape["type"]}
        if shape["type"] == "RECTANGLE":
            x, y = shape["x"], shape["y"]
            item["box"] = [x, y, x + shape["width"], y + shape["height"]]
        elif shape["type"] == "ROTATED_RECTANGLE":
            item["turned"] = [shape[key] for key in ("x", "y", "width", "height", "angle")]
        found.append(item)
    return found


def within(ours: list[float], theirs: list[float]) -> bool:
    """Say whether all numbers are equal within the tolerance of places."""
    return all(abs(a - b) <= PIXELS for a, b in zip(ours, theirs, strict=True))


def near(ours: dict, theirs: dict) -> bool:
    """Say whether two objects are the same within the tolerances."""
    if ours["label"] != theirs["label"] or abs(ours["score"] - theirs["score"]) > SCORE:
        return False
    if "points" in theirs and not all(map(within, ours.get("points", []), theirs["points"])):
        return False
    if "box" in theirs and "box" in ours:
        return within(ours["box"], theirs["box"])
    if "turned" in theirs:
        turn = abs(ours["turned"][4] - math.degrees(theirs["turned"][4])) % 180
        # Random heads give sides of negative length, which span the same rectangle.
        x, y, *sides = theirs["turned"][:4]
        return within(ours["turned"][:4], [x, y, *map(abs, sides)]) and min(turn, 180 - turn) < 1
    return True


def clipped(item: dict, width: int, height: int) -> dict:
    """Return an object with its box cut to the image, as Straylight gives it; RT-DETR does not cut it."""
    if "box" not in item:
        return item
    limits = (width, height, width, height)
    return item | {"box": [min(max(edge, 0), limit) for edge, limit in zip(item["box"], limits, strict=True)]}


def empty(box: list[float]) -> bool:
    """Say whether nothing of a box is left in whole pixels; Straylight leaves such boxes out."""
    left, upper, right, lower = map(round, box)
    return right - left < 1 or lower - upper < 1 or (right - left) * (lower - upper) <= 1


def differences(ours: list[dict], theirs: list[dict], threshold: float) -> list[str]:
    """Return what only one side has, scores at the threshold left out; each polygon may match an object again."""
    if theirs and "share" in theirs[0]:
        missing = {item["label"] for item in theirs if item["share"] > AREA} - {item["label"] for item in ours}
        return [f"no {label}" for label in missing]
    wrong, left = [], list(ours)
    for item in theirs:
        match = next((other for other in left if near(other, item)), None)
        if match is None and "box" in item and empty(item["box"]):
            continue
        if match is None and item["score"] > threshold + SCORE:
            wrong.append(f"missing {item['label']} {item['score']:.3f} {item.get('box', item.get('turned', ''))}")
        elif match is not None and match["type"] != "POLYGON":
            left.remove(match)
    extra = [item for item in left if item["score"] > threshold + SCORE and not any(near(item, other) for other in theirs)]
    return wrong + [f"extra {item['label']} {item['score']:.3f} {item.get('box', item.get('turned', ''))}" for item in extra]


def tried(program: str, folder: Path, facts: dict, options: list[str]) -> tuple[str, list[str]]:
    """Describe the model and predict on all photos; return what happened."""
    model = next(path for path in sorted(folder.glob("model.*")) if path.suffix in (".onnx", ".xml", ".tflite") and ".features" not in path.name)
    made = run(program, "deployment", "init", model, "--force", *options)
    if made.returncode != 0:
        text = (made.stderr or made.stdout).strip().splitlines()
        return "refused", [text[0].split(": ", 2)[-1] if text else "?"]
    description = json.loads((folder / "straylight.json").read_text())
    boxes = description["task"] not in ("classification", "segmentation") and not description["task"].startswith("anomaly")
    threshold = description.get("options", {}).get("confidence_threshold", 0.5 if boxes else 0.0)
    wrong = []
    found = run(program, "predict", Path(facts["photos"][0]).parent, "--deployment", folder, "--json")
    if found.returncode != 0:
        return "error", [(found.stderr or found.stdout).strip().splitlines()[0]]
    for line in found.stdout.splitlines():
        answer = json.loads(line)
        annotations = [one for one in answer["prediction"]["annotations"] if one["labels"][0]["name"] != "No object"]
        photo = Path(answer["image"]).name
        theirs = [clipped(item, answer["width"], answer["height"]) for item in facts["predictions"][photo]]
        wrong += [f"{photo}: {what}" for what in differences(read(annotations), theirs, threshold)]
    return ("wrong" if wrong else "right"), wrong


def told(result: str, second: str, details: list[str]) -> str:
    """Return what the table says of a row."""
    if result == "right" or not details:
        return ""
    return details[0][:200].replace("|", "/")


def versions() -> str:
    """Return the libraries with their versions."""
    names = ("torch", "torchvision", "timm", "transformers", "ultralytics", "rfdetr", "libreyolo", "anomalib", "segmentation-models-pytorch")
    found = []
    for name in (*names, "keras", "nudenet", "onnx", "openvino", "pillow", "opencv-python-headless"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def main() -> None:
    """Compare all models and print or write the table."""
    program, models = sys.argv[1], Path(sys.argv[2])
    rows = []
    for file in sorted(models.glob("*/expected.json")):
        facts = json.loads(file.read_text())
        result, details = tried(program, file.parent, facts, [])
        second = ""
        if result == "refused" and facts["line"]:
            again, more = tried(program, file.parent, facts, facts["line"].split())
            second = f"`{facts['line']}`: {again}"
            details += more
        objects = sum(len(items) for items in facts["predictions"].values())
        rows.append((facts["name"], objects, result, second, told(result, second, details)))
        print(facts["name"], result, second, details[:3], flush=True)
    if len(sys.argv) > 3:
        write(Path(sys.argv[3]), rows)


def write(path: Path, rows: list[tuple]) -> None:
    """Write the table with what it was made with; what stands behind it in the file stays."""
    counts = {word: sum(row[2] == word for row in rows) for word in ("right", "refused", "wrong", "error")}
    later = sum("right" in row[3].split("`: ")[-1] for row in rows)
    lines = [
        "# Real models, at the first try", "",
        f"Made on {date.today()} by `export.py` and `compare.py`, {os.cpu_count()} cores, with {versions()}.", "",
        f"{len(rows)} models: {counts['right']} right, {counts['refused']} refused with the reason ({later} of them right with the line "
        f"that the reason names), {counts['wrong']} wrong, {counts['error']} failed.", "",
        "| model | objects | first try | with the line that `init` names | reason |", "|---|---|---|---|---|",
    ]
    lines += [f"| {name} | {objects} | {result} | {second} | {why} |" for name, objects, result, second, why in rows]
    old = path.read_text() if path.exists() else ""
    rest = "\n## " + old.split("\n## ", 1)[1] if "\n## " in old else ""
    path.write_text("\n".join(lines) + "\n" + rest)


if __name__ == "__main__":
    main()
