"""Sends a server a gibibyte of junk and malformed requests.

    cargo build --release -p straylight-server --examples
    python benchmarks/server/junk.py target/release/examples/serve_for_tests

Ends with an error when an answer is a server error, when the server does not answer any more, or
when its memory grows between the second and the last quarter.
"""

import argparse
import collections
import io
import json
import random
import socket
import ssl
import tempfile
import threading
import zipfile
from pathlib import Path

from running import Server

QUARTERS = 4
# Threads that send; more only wait for each other.
SENDERS = 4


def bomb():
    """A zip of 100 KB that unpacks to 100 MB."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("straylight.json", bytes(100 << 20))
        archive.writestr("../../../outside", b"x")
    return buffer.getvalue()


class Junk:
    """Makes requests that are wrong in every way that came to mind."""

    def __init__(self, server, paths, bomb_bytes, seed):
        self.server, self.paths, self.bomb = server, paths, bomb_bytes
        self.random = random.Random(seed)

    def head(self, method, path, length, *more):
        """The head of a request that may pass the gate."""
        lines = [f"{method} {path} HTTP/1.1", "host: localhost", f"x-api-key: {self.server.token}"]
        lines += ["x-geti-csrf-protection: 1", f"content-length: {length}", *more, "", ""]
        return "\r\n".join(lines).encode("latin-1")

    def bytes_of_noise(self):
        return self.random.randbytes(self.random.randrange(1, 200_000))

    def broken_heads(self):
        kind = self.random.randrange(6)
        noise = self.random.randbytes(3000).hex()
        heads = [
            f"GET /{noise} HTTP/1.1\r\nhost: localhost\r\n\r\n",
            f"GET / HTTP/1.1\r\nhost: localhost\r\na: {noise * 100}\r\n\r\n",
            "POST /login HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffff\r\n",
            f"{noise[:40]} / HTTP/1.1\r\nhost: localhost\r\n\r\n",
            "POST /login HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
            f"GET / HTTP/1.1\r\nhost: localhost\r\nx-api-key: geti_pat_{noise[:50]}\r\n\r\n",
        ]
        return heads[kind].encode()

    def json_of_all_kinds(self):
        base, project_path, dataset = self.paths
        path = self.random.choice(
            [
                f"{base}/projects",
                f"{project_path}/datasets",
                f"{dataset}/media:query",
                f"{project_path}/pipelines/active:predict",
                f"{project_path}/project_configuration",
                "/v2/models/x/infer",
                "/actions/undo",
                "/login",
            ]
        )
        depth = self.random.randrange(1, 100_000)
        noise = json.dumps(self.random.randbytes(self.random.randrange(100_000)).decode("latin-1"))
        body = self.random.choice(
            [
                "[" * depth,
                '{"a":' * depth + "1" + "}" * depth,
                noise,
                f'{{"inputs":[{{"datatype":"BYTES","shape":[{depth}],"data":[{noise}]}}]}}',
                f'{{"inputs":[{{"datatype":"UINT8","shape":[1,{depth},{depth},3],"data":[1e999]}}]}}',
                '{"name":' + noise + ',"pipeline":{"tasks":[],"connections":[]}}',
                '{"rules":['
                + '{"field":"ood_score","operator":"greater","value":"x"},' * 50
                + "null]}",
            ]
        ).encode()
        method = self.random.choice(["POST", "PUT", "PATCH", "DELETE", "GET"])
        return self.head(method, path, len(body), "content-type: application/json") + body

    def uploads(self):
        _, project_path, dataset = self.paths
        path = self.random.choice(
            [
                f"{dataset}/media/images",
                f"{dataset}/media/videos",
                f"{project_path}/pipelines/active:predict",
            ]
        )
        name = self.random.choice(
            ["a.png", "../../a.png", "a.mp4", "\x00.jpg", "a" * 2000 + ".png"]
        )
        start = self.random.choice(
            [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF"]
        )
        if path.endswith("videos"):
            # Each video that looks like one starts a program: a few are enough.
            start, name = b"", self.random.choice(["a.png", "a.exe", "a.txt"])
        content = start + self.random.randbytes(self.random.randrange(1 << 20))
        part = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        body = (
            part.encode("latin-1")
            + content
            + self.random.choice([b"\r\n--b--\r\n", b"", b"\r\n--b"])
        )
        length = len(body) + self.random.choice([0] * 12 + [7, 1 << 40])
        return (
            self.head("POST", path, length, "content-type: multipart/form-data; boundary=b") + body
        )

    def archives(self):
        base = self.paths[0]
        body = self.random.choice(
            [self.bomb, self.random.randbytes(100_000), b"PK\x05\x06" + bytes(18)]
        )
        path = self.random.choice([f"{base}/projects:import", f"{base}/projects/uploads/resumable"])
        return self.head("POST", path, len(body), "content-type: application/zip") + body

    def next(self):
        """One request; most bytes are uploads, most requests are not."""
        kinds = [
            self.bytes_of_noise,
            self.broken_heads,
            self.json_of_all_kinds,
            self.uploads,
            self.archives,
        ]
        return self.random.choices(kinds, weights=[2, 3, 4, 5, 1])[0]()


def send(server, request):
    """Sends bytes over TLS and reads the status; 0 when there is none within half a second, in
    which the server may wait for the rest of a request."""
    try:
        raw = socket.create_connection((server.host, server.port), timeout=30)
        with server.context.wrap_socket(raw, server_hostname=server.host) as stream:
            try:
                stream.sendall(request)
            except OSError:
                pass
            stream.settimeout(0.5)
            answer = stream.recv(64)
    except (ssl.SSLError, ConnectionError, TimeoutError):
        return 0
    parts = answer.split(b" ", 2)
    return int(parts[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("server", type=Path)
    parser.add_argument("--mib", type=int, default=1024)
    given = parser.parse_args()
    statuses, lock = collections.Counter(), threading.Lock()
    with tempfile.TemporaryDirectory() as store, Server(given.server, Path(store)) as server:
        paths, bomb_bytes = server.project(), bomb()
        sent = [0]

        def work(seed, until):
            junk = Junk(server, paths, bomb_bytes, seed)
            while sent[0] < until:
                request = junk.next()
                status = send(server, request)
                with lock:
                    sent[0] += len(request)
                    statuses[status] += 1

        memory = [server.memory_mb()]
        print(f"before: {memory[0]:.0f} MB")
        for quarter in range(QUARTERS):
            until = (given.mib << 20) * (quarter + 1) // QUARTERS
            seeds = [quarter * SENDERS + sender for sender in range(SENDERS)]
            threads = [threading.Thread(target=work, args=(seed, until)) for seed in seeds]
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]
            memory.append(server.memory_mb())
            print(f"after {sent[0] >> 20} MiB: {memory[-1]:.0f} MB", flush=True)
        connection = server.connect()
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200, "the server does not answer"
        print(f"at most: {server.memory_mb('VmHWM'):.0f} MB")
        print("answers:", dict(sorted(statuses.items())), f"of {sum(statuses.values())}")
        wrong = {status for status in statuses if status >= 500}
        assert not wrong, f"errors of the server: {wrong}"
        assert memory[-1] <= memory[2] * 1.1 + 8, f"the memory grows: {memory}"


if __name__ == "__main__":
    main()
