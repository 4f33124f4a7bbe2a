"""How many small images a second a server takes over TLS.

    cargo build --release -p straylight-server --examples
    python benchmarks/server/uploads.py target/release/examples/serve_for_tests

Sender and server share the machine. Each image is on the disk before its answer: what the disk
takes to make a file durable decides; `--store FOLDER` says which disk.
"""

import argparse
import struct
import tempfile
import threading
import time
import zlib
from pathlib import Path

from running import Server

SENDERS = 4


def png(color: int, side: int = 64) -> bytes:
    """A PNG file of one colour, each with other bytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    row = b"\x00" + color.to_bytes(3, "big") * side
    pixels = chunk(b"IDAT", zlib.compress(row * side))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def send(server, path, numbers):
    """Uploads one image after the other over one connection."""
    connection = server.connect()
    headers = {**server.headers, "content-type": "multipart/form-data; boundary=b"}
    for number in numbers:
        head = '--b\r\nContent-Disposition: form-data; name="file"; '
        head = f'{head}filename="{number}.png"\r\n\r\n'.encode()
        body = head + png(number) + b"\r\n--b--\r\n"
        connection.request("POST", path, body=body, headers=headers)
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status == 200, content


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("server", type=Path)
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--store", type=Path, help="the folder in which the store is made")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(dir=given.store) as store,
        Server(given.server, Path(store)) as server,
    ):
        path = f"{server.project()[2]}/media/images"
        threads = [
            threading.Thread(target=send, args=(server, path, range(sender, given.images, SENDERS)))
            for sender in range(SENDERS)
        ]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.perf_counter() - started
        images = server.ask("GET", path.replace("media/images", "statistics"))
        assert images["overview"]["images"] == given.images, images
        print(f"{given.images / took:.0f} images a second")
        print(f"the server's memory: {server.memory_mb('VmHWM'):.0f} MB at most")


if __name__ == "__main__":
    main()
