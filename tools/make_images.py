"""Make `fixtures/images`: small files that a reader of images must survive.

    python tools/make_images.py --out fixtures/images

Every image shows the same scene of 48 x 32 pixels: four flat quadrants, so that a probe in
the middle of each tells colours, channel order and rotation. `expected.json` says for each
file what a reader must give: the size and the probes, or `"error"`.
"""

import argparse
import io
import json
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 48, 32
QUADRANTS = ((220, 30, 40), (20, 180, 60), (30, 60, 200), (240, 200, 20))
"""Top left, top right, bottom left, bottom right."""
ALPHA = (255, 128, 64, 255)
PROBES = ((12, 8), (36, 8), (12, 24), (36, 24))
LOSSY, EXACT, WIDE = 6, 0, 1

# How to store the upright scene so that the orientation tag turns it upright again.
STORED = {
    1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270,
}
ORIENTATION = 274


def quadrants(values: tuple) -> np.ndarray:
    """Fill the four quadrants with values (numbers or tuples)."""
    first = np.asarray(values[0])
    pixels = np.zeros((HEIGHT, WIDTH, *first.shape), np.int64)
    for value, (x, y) in zip(values, PROBES):
        left, top = (x // 24) * 24, (y // 16) * 16
        pixels[top : top + 16, left : left + 24] = value
    return pixels


def scene() -> Image.Image:
    """The upright scene in RGB."""
    return Image.fromarray(quadrants(QUADRANTS).astype(np.uint8))


def luma(rgb: tuple) -> int:
    """ITU-R 601 luma, as Pillow computes it."""
    return int(Image.new("RGB", (1, 1), rgb).convert("L").getpixel((0, 0)))


GREY = tuple(luma(rgb) for rgb in QUADRANTS)


class Collection:
    """The files and what is expected of each."""

    def __init__(self, out: Path) -> None:
        """Start an empty folder."""
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        self.out = out
        self.entries: list[dict] = []

    def good(self, name: str, data: bytes, about: str, colors: tuple = QUADRANTS, tolerance: int = EXACT) -> None:
        """Add a readable file; `colors` are what its quadrants must show."""
        probes = [{"x": x, "y": y, "rgb": rgb_of(color)} for (x, y), color in zip(PROBES, colors)]
        self.add(name, data, about, {"width": WIDTH, "height": HEIGHT, "tolerance": tolerance, "probes": probes})

    def bad(self, name: str, data: bytes, about: str) -> None:
        """Add a file that must be refused."""
        self.add(name, data, about, "error")

    def add(self, name: str, data: bytes, about: str, expected: object) -> None:
        """Write a file and remember its entry."""
        (self.out / name).write_bytes(data)
        self.entries.append({"file": name, "about": about, "expected": expected})

    def finish(self) -> None:
        """Write the list."""
        text = json.dumps(self.entries, indent=1) + "\n"
        (self.out / "expected.json").write_text(text, encoding="utf-8")


def rgb_of(color: object) -> list[int]:
    """A grey value or a colour as a list of three."""
    return [color] * 3 if isinstance(color, int) else list(color)


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    """Encode with Pillow."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    """One PNG chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, color: int, rows: bytes) -> bytes:
    """A PNG from raw rows (each with its filter byte)."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


def png16(pixels: np.ndarray, color: int) -> bytes:
    """A 16-bit PNG of 8-bit values, each widened to v * 257."""
    wide = (pixels * 257).astype(">u2").reshape(HEIGHT, -1)
    return png(WIDTH, HEIGHT, 16, color, b"".join(b"\x00" + row.tobytes() for row in wide))


def add_png(files: Collection) -> None:
    """Every kind of PNG."""
    rgb, grey = scene(), Image.fromarray(quadrants(GREY).astype(np.uint8))
    alpha = Image.fromarray(quadrants(ALPHA).astype(np.uint8))
    palette = rgb.convert("P", palette=Image.Palette.ADAPTIVE, colors=4)
    files.good("rgb.png", encode(rgb, "PNG"), "RGB")
    files.good("gray.png", encode(grey, "PNG"), "8-bit grey", GREY)
    files.good("gray_alpha.png", encode(Image.merge("LA", (grey, alpha)), "PNG"), "grey and alpha; alpha is dropped", GREY)
    rgba = Image.merge("RGBA", (*rgb.split(), alpha))
    files.good("rgba.png", encode(rgba, "PNG"), "RGBA; alpha is dropped, colours stay")
    files.good("palette.png", encode(palette, "PNG"), "palette")
    transparent = encode(palette, "PNG", transparency=bytes(ALPHA))
    files.good("palette_alpha.png", transparent, "palette with a transparency table; alpha is dropped")
    files.good("gray16.png", png16(quadrants(GREY), 0), "16-bit grey, v * 257", GREY, WIDE)
    files.good("rgb16.png", png16(quadrants(QUADRANTS), 2), "16-bit RGB, v * 257", QUADRANTS, WIDE)
    bilevel = Image.fromarray(quadrants((0, 255, 255, 0)).astype(np.uint8)).convert("1", dither=Image.Dither.NONE)
    files.good("bilevel.png", encode(bilevel, "PNG"), "1 bit per pixel", (0, 255, 255, 0))
    one = {"width": 1, "height": 1, "tolerance": EXACT, "probes": [{"x": 0, "y": 0, "rgb": list(QUADRANTS[0])}]}
    files.add("one_pixel.png", encode(rgb.crop((0, 0, 1, 1)), "PNG"), "1 x 1", one)
    files.good("png_named.jpg", encode(rgb, "PNG"), "a PNG whose name says JPEG")
    files.good("no_extension", encode(rgb, "PNG"), "a PNG without an extension")


def without_adobe(jpeg: bytes) -> bytes:
    """Remove the Adobe segment (APP14) of a JPEG."""
    start = jpeg.index(b"\xff\xee")
    return jpeg[:start] + jpeg[start + 2 + struct.unpack(">H", jpeg[start + 2 : start + 4])[0] :]


def add_jpeg(files: Collection) -> None:
    """Every kind of JPEG; chroma is not subsampled, so that flat areas stay flat."""
    rgb, grey = scene(), Image.fromarray(quadrants(GREY).astype(np.uint8))
    options = {"quality": 95, "subsampling": 0}
    plain = encode(rgb, "JPEG", **options)
    files.good("rgb.jpg", plain, "baseline JPEG", tolerance=LOSSY)
    files.good("UPPER.JPG", plain, "an upper-case extension", tolerance=LOSSY)
    files.good("progressive.jpg", encode(rgb, "JPEG", progressive=True, **options), "progressive", tolerance=LOSSY)
    files.good("subsampled.jpg", encode(rgb, "JPEG", quality=95, subsampling=2), "4:2:0", tolerance=LOSSY)
    files.good("gray.jpg", encode(grey, "JPEG", quality=95), "grey", GREY, LOSSY)
    cmyk = rgb.convert("CMYK")
    files.good("cmyk_adobe.jpg", encode(cmyk, "JPEG", **options), "CMYK, inverted, with Adobe marker", tolerance=LOSSY)
    # OpenCV, Pillow and the browsers take ink values as inverted with or without the marker.
    files.good("cmyk_plain.jpg", without_adobe(encode(cmyk, "JPEG", **options)),
               "CMYK, inverted, without Adobe marker", tolerance=LOSSY)
    for orientation, transpose in STORED.items():
        stored = rgb if transpose is None else rgb.transpose(transpose)
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        files.good(f"exif_{orientation}.jpg", encode(stored, "JPEG", exif=exif, **options),
                   f"EXIF orientation {orientation}; upright after rotation", tolerance=LOSSY)
    little = Image.Exif()
    little.endian = "<"  # Pillow writes big-endian by itself.
    little[ORIENTATION] = 6
    files.good("exif_6_little_endian.jpg", encode(rgb.transpose(STORED[6]), "JPEG", exif=little, **options),
               "EXIF orientation 6 in little-endian order; upright after rotation", tolerance=LOSSY)
    strange = Image.Exif()
    strange[ORIENTATION] = 9
    files.good("exif_9.jpg", encode(rgb, "JPEG", exif=strange, **options),
               "an EXIF orientation that does not exist; taken as upright", tolerance=LOSSY)


def add_others(files: Collection) -> None:
    """BMP, TIFF, GIF and WebP."""
    rgb = scene()
    alpha = Image.fromarray(quadrants(ALPHA).astype(np.uint8))
    rgba = Image.merge("RGBA", (*rgb.split(), alpha))
    palette = rgb.convert("P", palette=Image.Palette.ADAPTIVE, colors=4)
    files.good("rgb.bmp", encode(rgb, "BMP"), "BMP")
    files.good("rgb.tiff", encode(rgb, "TIFF", compression="tiff_lzw"), "TIFF with LZW")
    files.good("palette.gif", encode(palette, "GIF"), "GIF")
    second = palette.transpose(Image.Transpose.ROTATE_180)
    animated = encode(palette, "GIF", save_all=True, append_images=[second], duration=100)
    files.good("animated.gif", animated, "two frames; the first counts")
    files.good("lossy.webp", encode(rgb, "WEBP", quality=95), "lossy WebP", tolerance=LOSSY)
    files.good("lossless.webp", encode(rgb, "WEBP", lossless=True), "lossless WebP")
    files.good("alpha.webp", encode(rgba, "WEBP", lossless=True, exact=True), "WebP with alpha; alpha is dropped")
    turned_back = rgb.transpose(Image.Transpose.ROTATE_180)
    animated = encode(rgb, "WEBP", save_all=True, append_images=[turned_back], lossless=True)
    files.good("animated.webp", animated, "two frames of WebP; the first counts")
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    turned = encode(rgb.transpose(STORED[6]), "WEBP", lossless=True, exif=exif)
    files.good("exif_6.webp", turned, "WebP with EXIF orientation 6; upright after rotation")


def add_bad(files: Collection) -> None:
    """Files that are no images, or broken ones."""
    jpeg = encode(scene(), "JPEG", quality=95)
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    noisy_png = encode(Image.fromarray(noise), "PNG")
    noisy_jpeg = encode(Image.fromarray(noise), "JPEG", quality=95)
    files.bad("empty.jpg", b"", "no bytes at all")
    files.bad("text.jpg", b"This is not an image.\n", "text with an image's name")
    files.bad("truncated.jpg", noisy_jpeg[: len(noisy_jpeg) // 2], "the second half is missing")
    files.bad("header_only.jpg", jpeg[:20], "the first 20 bytes of a JPEG")
    files.bad("truncated.png", noisy_png[: len(noisy_png) // 2], "the second half is missing")
    files.bad("truncated.webp", encode(Image.fromarray(noise), "WEBP", lossless=True)[:1500], "the rest is missing")
    position = noisy_png.index(b"IDAT") + 2000
    damaged = noisy_png[:position] + bytes([noisy_png[position] ^ 0xFF]) + noisy_png[position + 1 :]
    files.bad("bad_crc.png", damaged, "one byte of the pixels is flipped: the checksum is wrong")
    files.bad("bomb.png", png(50_000, 50_000, 8, 2, bytes(64)), "claims 50000 x 50000 pixels (7.5 GB)")


def main() -> None:
    """Make the folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder to write, e.g. fixtures/images")
    files = Collection(parser.parse_args().out)
    for add in (add_png, add_jpeg, add_others, add_bad):
        add(files)
    files.finish()
    print(f"{len(files.entries)} files")


if __name__ == "__main__":
    main()
