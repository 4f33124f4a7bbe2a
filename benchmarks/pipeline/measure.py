"""Whole runs of the program: a folder with bad files, and a video with hooks.

    python measure.py --program target/release/straylight [--deployment FOLDER]

The model is the demo's, or for the folder that of any deployment. Needs nothing but Python, ffmpeg and the repository's assets. Prints a table in Markdown.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ASSETS = Path(__file__).resolve().parents[2] / "assets" / "demo"


def run(command):
    """Runs a command; says its code, what it said, its seconds and its own peak memory in MB."""
    command = [str(part) for part in command]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        done = subprocess.CompletedProcess(command, process.returncode, out.read(), err.read())
    return done, seconds, usage.ru_maxrss / 1000


def expect(done, code):
    if done.returncode != code:
        raise SystemExit(f"{done.args}: exit code {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def mixed_folder(folder, count, bad_share):
    """Copies of the demo's photos in their sizes (320 and 1024 wide), and files that are damaged."""
    photos = sorted((ASSETS / "photos").glob("*/*.webp"))
    bad = round(count * bad_share)
    step = count // bad
    folder.mkdir()
    for index in range(count):
        photo = photos[index % len(photos)]
        target = folder / f"{index:05}.webp"
        if index % step != step // 2:
            shutil.copy(photo, target)
            continue
        # Cut off, empty, and no image at all, in turn.
        content = [photo.read_bytes()[:200], b"", b"no image"][index // step % 3]
        target.write_bytes(content)
    return bad


def rate(text):
    return float(re.search(r"\(([\d.]+) a second\)|([\d.]+) a second", text).group(0).strip("()").split()[0])


def row_of(cells, mode, decode):
    fits = (c for c in cells if c["mode"] == mode and c["decode"] == decode and not c["hook"])
    return next(fits)["images_per_second"]


def folder_run(arguments, work, deployment):
    folder = work / "mixed"
    bad = mixed_folder(folder, arguments.images, 0.05)
    # Every photo once.
    sample = sorted(folder.glob("*.webp"))[: len(list((ASSETS / "photos").glob("*/*.webp")))]
    good = [path for path in sample if path.read_bytes()[:4] == b"RIFF" and path.stat().st_size > 200]
    rows = []
    for _ in range(arguments.rounds):
        bench = [arguments.program, "bench", "--deployment", deployment, "--table", "--seconds", "3"]
        table, _, _ = run([*bench, "--json", "-", *good])
        expect(table, 0)
        whole, _, peak = run(
            [arguments.program, "predict", folder, "--deployment", deployment, "--json"]
        )
        expect(whole, 3)
        listed = sum(line.startswith("bad: ") for line in whole.stderr.splitlines())
        assert listed == bad, f"{listed} bad files listed, {bad} there"
        assert len(whole.stdout.splitlines()) == arguments.images
        cells = json.loads(table.stdout)
        infer = row_of(cells, "async", decode=False)
        # What decoding adds to an image on one core, spread over all of them.
        added = 1 / row_of(cells, "sync", decode=True) - 1 / row_of(cells, "sync", decode=False)
        rows.append((os.cpu_count() / added, infer, rate(whole.stderr), peak))
    return bad, rows


def make_video(path):
    """60 scenes of a second, 25 frames each: known and strange photos in turn, slowly zoomed."""
    split = json.loads((ASSETS / "split.json").read_text())
    known = [ASSETS / entry["file"] for entry in split["known"]][:30]
    strange = [ASSETS / entry["file"] for entry in split["strange"]][:30]
    scenes = [photo for pair in zip(known, strange) for photo in pair]
    ffmpeg = ["ffmpeg", "-loglevel", "error", "-y"]
    scale = "scale=640:480:force_original_aspect_ratio=increase,crop=640:480,setsar=1"
    for index, scene in enumerate(scenes):
        # One size for all: ffmpeg begins anew at a frame of another size, and its clock with it.
        still = path.with_name(f"scene_{index:02}.png")
        expect(run([*ffmpeg, "-i", scene, "-vf", scale, "-frames:v", "1", still])[0], 0)
    drift = "fps=25,crop=600:450:x='20+10*sin(n/7)':y='15+8*cos(n/9)'"
    stills = ["-framerate", "1", "-i", path.with_name("scene_%02d.png")]
    done, _, _ = run(
        [*ffmpeg, *stills, "-vf", drift, "-frames:v", "1500", "-pix_fmt", "yuv420p", path]
    )
    expect(done, 0)


def video_run(arguments, work, deployment):
    video = work / "street.mp4"
    make_video(video)
    copy = work / "watching"
    shutil.copytree(deployment, copy)
    hooks = [arguments.program, "hooks"]
    of = ["--deployment", copy]
    expect(run([*hooks, "remove", "--all", *of])[0], 0)
    for name, rest in [
        ("strays", ["--trigger", "ood", "--limit", "1/s", "--limit", "similar"]),
        ("every-second", ["--trigger", "always", "--limit", "1/s"]),
    ]:
        target = ["--action", "folder", "--to", work / name]
        expect(run([*hooks, "add", "--name", name, *rest, *target, *of])[0], 0)
    done, seconds, peak = run([arguments.program, "run", video, "--json", *of])
    expect(done, 0)
    lines = done.stdout.splitlines()
    statistics = {hook["hook"]: hook for hook in json.loads(lines[-1])["hooks"]}
    return len(lines) - 1, seconds, peak, statistics


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", type=Path, default=Path("target/release/straylight"))
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["folder", "video"])
    parser.add_argument("--deployment", type=Path, help="measure this one on the folder, and no video")
    arguments = parser.parse_args()
    arguments.program = arguments.program.resolve()
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        deployment = arguments.deployment
        if deployment is None:
            deployment = work / "demo"
            expect(run([arguments.program, "demo", "--dir", deployment])[0], 0)
        if arguments.only != "video":
            bad, rows = folder_run(arguments, work, deployment)
            print(f"{arguments.images} files, {bad} of them bad, all listed, exit code 3\n")
            print("| decode alone | infer alone | the run | of the slower | of both on the same cores | peak MB |")
            print("|---|---|---|---|---|---|")
            for decode, infer, whole, peak in rows:
                shared = 1 / (1 / decode + 1 / infer)
                part, of_shared = whole / min(decode, infer), whole / shared
                print(f"| {decode:.1f} | {infer:.1f} | {whole:.1f} | {part:.2f} | {of_shared:.2f} | {peak:.0f} |")
        if arguments.only != "folder" and arguments.deployment is None:
            frames, seconds, peak, statistics = video_run(arguments, work, deployment)
            print(f"\n{frames} frames (60 s of video) in {seconds:.1f} s, peak {peak:.0f} MB")
            for name, hook in statistics.items():
                held = hook["suppressed"]
                print(f"{name}: {hook['delivered']} of {hook['evaluated']} collected, held back {held}")


if __name__ == "__main__":
    sys.exit(main())
