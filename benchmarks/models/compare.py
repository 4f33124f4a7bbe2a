"""Compare Straylight with the libraries' own predictions, and write the table.

    python compare.py STRAYLIGHT MODELS [README.md]

For each exported model: `deployment init` and `predict`, nothing edited. Where `init` asks, the row says so,
and the line that it proposes (the one that is true for the model) is tried as well.
"""

import json
import subprocess
import sys
from pathlib import Path

SCORE, PIXELS, AREA = 0.003, 1.0, 0.02


def run(*words) -> subprocess.CompletedProcess:
    """Run Straylight."""
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)


def read(annotations: list) -> list[dict]:
    """Return Straylight's annotations in the form of the exporters."""
    found = []
    for one in annotations:
        shape, label = one["shape"], one["labels"][0]
        item = {"label": label["name"], "score": label["probability"], "type": shape["type"]}
        if shape["type"] == "RECTANGLE":
            x, y = shape["x"], shape["y"]
            item["box"] = [x, y, x + shape["width"], y + shape["height"]]
        elif shape["type"] == "ROTATED_RECTANGLE":
            item["turned"] = [shape[key] for key in ("x", "y", "width", "height", "angle")]
        elif shape["type"] == "KEYPOINT":
            item["point"] = [shape["x"], shape["y"]]
        elif shape["type"] == "POLYGON":
            xs, ys = [p["x"] for p in shape["points"]], [p["y"] for p in shape["points"]]
            item["box"] = [min(xs), min(ys), max(xs) + 1, max(ys) + 1]
        found.append(item)
    return found


def near(ours: dict, theirs: dict) -> bool:
    """Say whether two objects are the same within the tolerances."""
    if ours["label"] != theirs["label"] or abs(ours["score"] - theirs["score"]) > SCORE:
        return False
    if "box" in theirs and ours["type"] == "RECTANGLE":
        return all(abs(a - b) <= PIXELS for a, b in zip(ours["box"], theirs["box"], strict=True))
    if "turned" in theirs and "turned" in ours:
        return all(abs(a - b) <= PIXELS for a, b in zip(ours["turned"][:2], theirs["turned"][:2], strict=True))
    return True


def differences(ours: list[dict], theirs: list[dict], threshold: float) -> list[str]:
    """Return what only one side has, borderline scores left out, and each object's masks once."""
    if theirs and "share" in theirs[0]:
        missing = {item["label"] for item in theirs if item["share"] > AREA} - {item["label"] for item in ours}
        return [f"no {label}" for label in missing]
    points = [item for item in ours if "point" in item]
    polygons = any(item["type"] == "POLYGON" for item in ours)
    rest = [item for item in ours if "point" not in item and not ("box" in item and item["type"] == "KEYPOINT")]
    sure = [item for item in theirs if item["score"] > threshold + SCORE]
    wrong, left = [], list(rest)
    for item in sure:
        match = next((other for other in left if near(other, item)), None)
        if match is None:
            wrong.append(f"missing {item['label']} {item['score']:.3f} {item.get('box', item.get('turned', ''))}")
        elif not polygons:
            left.remove(match)
    extra = [item for item in left if item["score"] > threshold + SCORE and not any(near(item, other) for other in theirs)]
    if len(theirs) < 300:
        wrong += [f"extra {item['label']} {item['score']:.3f} {item.get('box', '')}" for item in extra]
    if theirs and "points" in theirs[0] and len(points) != sum(len(item["points"]) for item in theirs):
        wrong.append("key points differ")
    return wrong


def tried(program: str, folder: Path, facts: dict, options: list[str]) -> tuple[str, list[str]]:
    """Describe the model and predict on all photos; return what happened."""
    model = next(path for path in sorted(folder.glob("model.*")) if path.suffix in (".onnx", ".xml", ".tflite") and ".features" not in path.name)
    made = run(program, "deployment", "init", model, "--force", *options)
    if made.returncode != 0:
        text = (made.stderr or made.stdout).strip().splitlines()
        return "refused", [text[0].split(": ", 2)[-1] if text else "?"]
    description = json.loads((folder / "straylight.json").read_text())
    threshold = description.get("options", {}).get("confidence_threshold", 0.0)
    wrong = []
    for photo in facts["photos"]:
        found = run(program, "predict", photo, "--deployment", folder, "--json")
        if found.returncode != 0:
            return "error", [(found.stderr or found.stdout).strip().splitlines()[0]]
        answer = json.loads(found.stdout)
        answer = answer[0] if isinstance(answer, list) else answer
        annotations = answer.get("annotations") or answer.get("prediction", {}).get("annotations", [])
        annotations = [one for one in annotations if one["labels"][0]["name"] not in ("No object",)]
        theirs = facts["predictions"][Path(photo).name]
        wrong += [f"{Path(photo).name}: {what}" for what in differences(read(annotations), theirs, threshold)]
    return ("wrong" if wrong else "right"), wrong


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
        rows.append((facts["name"], objects, result, second, details[:1]))
        print(facts["name"], result, second, details[:3], flush=True)
    if len(sys.argv) > 3:
        lines = ["| model | objects | first try | with the line that `init` names | reason |", "|---|---|---|---|---|"]
        lines += [f"| {name} | {objects} | {result} | {second} | {details[0][:160] if result != 'right' and details else ''} |" for name, objects, result, second, details in rows]
        Path(sys.argv[3]).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
