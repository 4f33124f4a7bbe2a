"""Whole runs of the program: a folder with bad files, and a video with hooks.

    python measure.py --program target/release/straylight --decoder target/release/examples/decode_alone

Needs nothing but Python, ffmpeg and the repository's assets. Prints a table in Markdown.
"""

import argparse
import json
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ASSETS = Path(__file__).resolve().parents[2] / "assets" / "demo"


def run(command, **options):
    """Runs a command; says its code, what it said, its seconds and its peak memory in MB."""
    start = time.monotonic()
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    seconds = time.monotonic() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
    return done, seconds, peak


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


def folder_run(arguments, work, deployment):
    folder = work / "mixed"
    bad = mixed_folder(folder, arguments.images, 0.05)
    sample = sorted(folder.glob("*.webp"))[:60]
    good = [path for path in sample if path.read_bytes()[:4] == b"RIFF" and path.stat().st_size > 200]
    rows = []
    for _ in range(arguments.rounds):
        decoded, _, _ = run([arguments.decoder, folder])
        expect(decoded, 0)
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
        alone = next(c for c in cells if c["mode"] == "async" and not c["decode"] and not c["hook"])
        rows.append((rate(decoded.stdout), alone["images_per_second"], rate(whole.stderr), peak))
    return bad, rows


def make_video(path):
    """60 scenes of a second, 25 frames each: known and strange photos in turn, slowly zoomed."""
    split = json.loads((ASSETS / "split.json").read_text())
    known = [ASSETS / entry["file"] for entry in split["known"]][:30]
    strange = [ASSETS / entry["file"] for entry in split["strange"]][:30]
    scenes = [photo for pair in zip(known, strange) for photo in pair]
    listing = path.with_suffix(".txt")
    listing.write_text("".join(f"file '{scene}'\nduration 1\n" for scene in scenes))
    scale = "scale=640:480:force_original_aspect_ratio=increase,crop=640:480,setsar=1"
    drift = "crop=600:450:x='20+10*sin(n/7)':y='15+8*cos(n/9)'"
    done, _, _ = run(
        ["ffmpeg", "-loglevel", "error", "-y", "-f", "concat", "-safe", "0", "-i", listing]
        + ["-vf", f"{scale},fps=25,{drift}", "-frames:v", "1500", "-pix_fmt", "yuv420p", path]
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
    books = {hook["hook"]: hook for hook in json.loads(lines[-1])["hooks"]}
    return len(lines) - 1, seconds, peak, books


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", type=Path, default=Path("target/release/straylight"))
    parser.add_argument(
        "--decoder", type=Path, default=Path("target/release/examples/decode_alone")
    )
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["folder", "video"])
    arguments = parser.parse_args()
    arguments.program = arguments.program.resolve()
    arguments.decoder = arguments.decoder.resolve()
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        demo, _, _ = run([arguments.program, "demo", "--dir", work / "demo"])
        expect(demo, 0)
        deployment = work / "demo"
        if arguments.only != "video":
            bad, rows = folder_run(arguments, work, deployment)
            print(f"{arguments.images} files, {bad} of them bad, all listed, exit code 3\n")
            print("| decode alone | infer alone | the run | of the slower | of both on the same cores | peak MB |")
            print("|---|---|---|---|---|---|")
            for decode, infer, whole, peak in rows:
                shared = 1 / (1 / decode + 1 / infer)
                part, of_shared = whole / min(decode, infer), whole / shared
                print(f"| {decode:.1f} | {infer:.1f} | {whole:.1f} | {part:.2f} | {of_shared:.2f} | {peak:.0f} |")
        if arguments.only != "folder":
            frames, seconds, peak, books = video_run(arguments, work, deployment)
            print(f"\n{frames} frames (60 s of video) in {seconds:.1f} s, peak {peak:.0f} MB")
            for name, hook in books.items():
                held = hook["suppressed"]
                print(f"{name}: {hook['delivered']} of {hook['evaluated']} collected, held back {held}")


if __name__ == "__main__":
    sys.exit(main())
