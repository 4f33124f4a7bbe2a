"""Pages and uploads while strangers hold connections open, and what strangers and bombs cost.

    cargo build --release -p straylight-cli
    cargo build --release -p straylight-server --examples
    python benchmarks/server/slow.py target/release/straylight target/release/examples/slow_clients

The server is `straylight serve --plain-http`. A third of the strangers sends heads byte by byte,
a third bodies for `/login`, a third asks for a file again and again and never reads; those that
are closed connect again.
"""

import argparse
import http.client
import io
import json
import socket
import statistics
import struct
import subprocess
import tempfile
import time
import zipfile
import zlib
from pathlib import Path

ROUNDS = 200
MIB = 1 << 20


def png(side=256):
    """A photograph-sized PNG file of noise."""

    def chunk(kind, content):
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = b"".join(b"\x00" + bytes((x * y) % 251 for x in range(side * 3)) for y in range(side))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class Server:
    def __init__(self, program, store):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [program, "serve", "--plain-http", "--store", store]
        command += ["--listen", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        for line in self.process.stdout:
            if line.startswith("Token"):
                self.token = line.split()[1]
            if line.startswith("Ctrl-C"):
                break

    def ask(self, method, path, body=None, headers=None, timeout=120):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        sent = {"x-api-key": self.token, "x-geti-csrf-protection": "1", **(headers or {})}
        connection.request(method, path, body=body, headers=sent)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer, content

    def json(self, method, path, body=None):
        answer, content = self.ask(method, path, body and json.dumps(body))
        assert answer.status < 300, (method, path, answer.status, content)
        return json.loads(content)

    def rss(self, field="VmRSS"):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("the server has ended")

    def forget_peak(self):
        """Lets VmHWM begin anew."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


def prepare(server):
    """A project; the path of its dataset."""
    base = "/api/v1/organizations/"
    found = server.json("GET", "/api/v1/personal_access_tokens/organization")
    base += found["organizations"][0]["organizationId"] + "/workspaces"
    base += "/" + server.json("GET", base)["workspaces"][0]["id"]
    labels = [{"name": name, "group": "g"} for name in ("a", "b")]
    tasks = [
        {"title": "Dataset", "task_type": "dataset"},
        {"title": "Classes", "task_type": "classification", "labels": labels},
    ]
    pipeline = {"connections": [{"from": "Dataset", "to": "Classes"}], "tasks": tasks}
    project = server.json("POST", f"{base}/projects", {"name": "p", "pipeline": pipeline})
    return base, f"{base}/projects/{project['id']}/datasets/{project['datasets'][0]['id']}"


def timed(rounds, work):
    """Milliseconds of each call: median, 95th percentile, most."""
    took = []
    for number in range(rounds):
        started = time.perf_counter()
        work(number)
        took.append((time.perf_counter() - started) * 1000)
    took.sort()
    return statistics.median(took), took[int(len(took) * 0.95)], took[-1]


def measure(server, dataset, rounds):
    image = png()

    def page(_):
        answer, _ = server.ask("GET", "/")
        assert answer.status == 200, answer.status

    def upload(number):
        head = '--b\r\nContent-Disposition: form-data; name="file"; '
        body = f'{head}filename="{number}.png"\r\n\r\n'.encode() + image + b"\r\n--b--\r\n"
        kind = {"content-type": "multipart/form-data; boundary=b"}
        answer, content = server.ask("POST", f"{dataset}/media/images", body, kind)
        assert answer.status == 200, content

    def health(_):
        answer, _ = server.ask("GET", "/healthz")
        assert answer.status == 200, answer.status

    for name, work in (("page", page), ("upload", upload), ("health", health)):
        median, high, most = timed(rounds, work)
        print(f"  {name:7} median {median:7.1f} ms, 95 % {high:7.1f} ms, most {most:7.1f} ms", flush=True)


def bomb(size):
    """A zip whose one entry of zeros unpacks to so many bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("straylight.json", "w", force_zip64=True) as entry:
            for _ in range(size // MIB):
                entry.write(bytes(MIB))
    return file.getvalue()


def refuse(server, base, archive):
    """Imports what has to be refused; the job's message."""
    headers = {"tus-resumable": "1.0.0", "upload-length": str(len(archive))}
    answer, _ = server.ask("POST", f"{base}/projects/uploads/resumable", headers=headers)
    location = answer.headers["location"]
    headers = {"tus-resumable": "1.0.0", "upload-offset": "0"}
    headers["content-type"] = "application/offset+octet-stream"
    answer, content = server.ask("PATCH", location, archive, headers)
    assert answer.status == 204, content
    wanted = {"file_id": location.rsplit("/", 1)[1], "project_name": "bomb"}
    job = server.json("POST", f"{base}/projects:import", wanted)["job_id"]
    while True:
        state = server.json("GET", f"{base}/jobs/{job}")
        if state["state"] != "running":
            return state["steps"][0]["message"]
        time.sleep(0.05)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=Path)
    parser.add_argument("slow_clients", type=Path)
    parser.add_argument("--connections", type=int, nargs="+", default=[512, 1000])
    parser.add_argument("--addresses", type=int, default=250)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        server = Server(given.program, store)
        try:
            base, dataset = prepare(server)
            print("nobody else")
            measure(server, dataset, given.rounds)
            for count in given.connections:
                for addresses in (given.addresses, 1):
                    idle = server.rss()
                    server.forget_peak()
                    address = f"127.0.0.1:{server.port}"
                    crowd = subprocess.Popen(
                        [given.slow_clients, address, str(count), str(addresses)],
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                    )
                    assert crowd.stdout.readline() == "open\n"
                    print(f"{count} slow connections from {addresses} addresses")
                    measure(server, dataset, given.rounds)
                    more = (server.rss("VmHWM") - idle) / MIB
                    crowd.stdin.close()
                    closed = crowd.stdout.read().strip()
                    crowd.wait()
                    print(f"  closed {closed} times; memory at most {more:.1f} MiB above idle, with the uploads")
            idle = server.rss()
            server.forget_peak()
            archive = bomb(1 << 30)
            message = refuse(server, base, archive)
            more = (server.rss("VmHWM") - idle) / MIB
            left = sum(f.stat().st_size for f in (store / "uploads").rglob("*") if f.is_file())
            print(f"a bomb of {len(archive)} bytes: {message}")
            print(f"  memory at most {more:.1f} MiB above idle; {left} bytes left in uploads")
        finally:
            server.stop()


if __name__ == "__main__":
    main()
