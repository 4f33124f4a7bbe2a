"""Make `fixtures/upgrade/DATE` with the program of that date.

    python tools/upgrade_fixtures/make.py PROGRAM DEPLOYMENT fixtures/upgrade/DATE

PROGRAM is the old `straylight`, DEPLOYMENT a folder with the files of
`fixtures/deployments/single_explain.json`, OUT a folder that is not there yet.
"""

import json
import random
import shutil
import sqlite3
import struct
import subprocess
import sys
import zlib
from pathlib import Path


def png(path: Path, pixels: list[list[tuple[int, int, int]]]) -> None:
    """Write 8-bit RGB."""
    rows = b"".join(b"\0" + bytes(v for pixel in row for v in pixel) for row in pixels)
    head = struct.pack(">IIBBBBB", len(pixels[0]), len(pixels), 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n"
    for kind, body in chunks:
        data += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def picture(colour: tuple[int, int, int], seed: int, noise: int) -> list[list[tuple[int, int, int]]]:
    """24 x 16 pixels of one colour with noise."""
    rng = random.Random(seed)
    level = lambda v: max(0, min(255, v + rng.randint(-noise, noise)))
    return [[tuple(level(v) for v in colour) for _ in range(24)] for _ in range(16)]


def main() -> None:
    """Make everything."""
    program, source, out = sys.argv[1], Path(sys.argv[2]).resolve(), Path(sys.argv[3]).resolve()
    out.mkdir(parents=True)
    colours = {"alpha": (200, 40, 40), "beta": (40, 190, 60), "gamma": (50, 60, 210)}
    scratch = out / "scratch"
    for name, colour in colours.items():
        for index in range(40):
            png(scratch / "known" / name / f"{name}{index:02}.png", picture(colour, index, 25))
    for index in range(4):
        png(out / "photos" / f"strange{index}.png", picture((240, 240, 20 * index), index, 90))
    png(out / "photos" / "known.png", picture(colours["alpha"], 7, 25))

    def run(*words: object, code: int = 0) -> str:
        command = [program, *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=out)
        print("$ straylight", *map(str, words), "->", done.returncode)
        print(done.stdout, done.stderr)
        assert done.returncode == code, command
        return done.stdout

    run("ood", "fit", "--deployment", source, "--images", scratch / "known", "--save", scratch / "saved",
        "--relax")
    shutil.copytree(scratch / "saved" / "deployment", out / "deployment")
    run("project", "create", "upgrade", "--task", "classification", "--labels", "alpha,beta,gamma",
        "--store", "store")
    add = ["hooks", "add", "--deployment", "deployment"]
    run(*add, "--trigger", "ood", "--action", "folder", "--to", "strays", "--limit", "100/s")
    run(*add, "--trigger", "label", "--labels", "alpha", "--action", "dataset", "--to", "upgrade/Strays",
        "--store", "store", "--name", "to-store")
    always = {"AlwaysTrigger": {}}
    folder = {"FileSystemDataCollection": {"target_folder": "all"}}
    post = {"HttpRequestAction": {"url": "http://127.0.0.1:9/", "method": "POST",
                                  "include_prediction_data": True}}
    dataset = {"LocalDatasetCollection": {"store_folder": "store", "project": "upgrade",
                                          "dataset": "Strays"}}
    memory = {"storage": "memory"}
    hooks = {
        "block": {"name": "block", "trigger": always, "action": folder,
                  "queue": memory | {"overflow": "block", "max_events": 7}},
        "drop_oldest": {"name": "drop-oldest", "trigger": always, "action": folder,
                        "queue": memory | {"overflow": "drop_oldest"}},
        "away": {"name": "away", "trigger": always, "action": post},
        "collect": {"name": "to-store", "trigger": always, "action": dataset},
    }
    for name, hook in hooks.items():
        one = out / "scratch" / name
        shutil.copytree(source, one)
        (out / "scratch" / "hook.json").write_text(json.dumps(hook))
        run("hooks", "add", "--deployment", one, "--hook", out / "scratch" / "hook.json")
        shutil.copy(one / "deployment" / "hook_config.json", out / f"hooks_{name}.json")
    # What waits for a receiver that is not there.
    run("run", "photos", "--deployment", source, "--hooks", "hooks_away.json", "--state", "state",
        "--drain", "6")
    run("queue", "stats", "--state", "state")
    run("run", "photos", "--deployment", "deployment", "--hooks", "hooks_collect.json")
    (out / "hooks_collect.json").unlink()
    predicted = run("predict", "photos", "--deployment", "deployment", "--json")
    (out / "predicted.jsonl").write_text(predicted)
    # The log of the database, folded back: it is longer than all the rest.
    database = sqlite3.connect(out / "store" / "store.db")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
