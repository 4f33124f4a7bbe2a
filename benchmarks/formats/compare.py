"""Reads, filters and writes annotations of the size of COCO val2017, beside others in one run.

    pip install -r benchmarks/formats/requirements.txt
    python benchmarks/formats/make.py /a/folder
    cargo build --release
    python benchmarks/formats/compare.py target/release/straylight /a/folder [--sdk PYTHON]

`PYTHON` is an interpreter of another environment with geti-sdk 2.11.0, the last SDK that has a
`DatumAnnotationReader`: it wants an older Datumaro.

Straylight is measured as a whole process, the others without the import of their modules. Both read
COCO, keep the images with one of two classes, and write YOLO without copying images; Datumaro leaves
polygons and masks out of YOLO and so writes less. Memory is the peak of the process.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

KEPT = ("class 2", "class 5")


def datumaro(folder, out):
    import datumaro

    start = time.perf_counter()
    dataset = datumaro.Dataset.import_from(str(folder), "coco")
    kept = " or ".join(f'annotation/label="{name}"' for name in KEPT)
    dataset.filter(f"/item[{kept}]")
    count = len(dataset)
    if out is not None:
        dataset.export(str(out), "yolo_ultralytics", save_media=False)
    return time.perf_counter() - start, count


def sdk(folder, _):
    from geti_sdk.annotation_readers import DatumAnnotationReader

    start = time.perf_counter()
    reader = DatumAnnotationReader(str(folder), "coco")
    reader.filter_dataset(labels=list(KEPT), criterion="OR")
    count = len(reader.get_all_image_names())
    return time.perf_counter() - start, count


WORKERS = {"datumaro": datumaro, "sdk": sdk}


def measured(command):
    """Seconds, peak memory in MB, and what was printed."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        sys.exit(f"{command}: status {status}")
    return seconds, usage.ru_maxrss / 1024, text.decode()


def straylight(program, folder, out):
    filters = ["--filter", " or ".join(f'"{name}"' for name in KEPT), "--json"]
    if out is None:
        command = [program, "dataset", "show", folder, *filters]
    else:
        command = [program, "dataset", "convert", folder, "--to", "yolo", "--out", out, "--without-images", *filters]
    seconds, memory, text = measured([str(word) for word in command])
    return seconds, memory, json.loads(text)["images"]


def worker(python, name, folder, out):
    command = [python, __file__, "--worker", name, folder, *([out] if out else [])]
    _, memory, text = measured([str(word) for word in command])
    seconds, count = json.loads(text.splitlines()[-1])
    return seconds, memory, count


def main():
    if sys.argv[1:2] == ["--worker"]:
        name, folder, *out = sys.argv[2:]
        print(json.dumps(WORKERS[name](folder, out[0] if out else None)))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sdk", help="an interpreter with geti-sdk 2.11.0")
    arguments = parser.parse_args()
    program = arguments.program.resolve()
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(arguments.rounds):
            for what, out in (("write YOLO", pathlib.Path(scratch) / f"out{number}"), ("read and filter", None)):
                peer, python = ("datumaro", sys.executable) if out else ("sdk", arguments.sdk)
                if out:
                    out.mkdir()
                if python is None:
                    continue
                # Nothing is deleted in between: file systems are slow to take the places of
                # deleted files again.
                ours = straylight(program, arguments.folder, out and out / "ours")
                theirs = worker(python, peer, arguments.folder, out and out / "theirs")
                found.setdefault((what, "Straylight"), []).append(ours)
                found.setdefault((what, peer), []).append(theirs)
                print(what, peer, ours, theirs, file=sys.stderr)
    print("| what | whose | seconds | peak memory, MB | images left |\n|---|---|---|---|---|")
    for (what, whose), rounds in found.items():
        seconds, memory, counts = zip(*rounds)
        print(f"| {what} | {whose} | {statistics.median(seconds):.2f} | {max(memory):.0f} | {counts[0]} |")


if __name__ == "__main__":
    main()
