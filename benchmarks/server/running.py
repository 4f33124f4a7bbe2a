"""A server of ours on a store, started for a measurement."""

import http.client
import json
import ssl
import subprocess
from pathlib import Path
from urllib.parse import urlsplit


class Server:
    """Runs `serve_for_tests`; predictions come from its stand-in."""

    def __init__(self, program: Path, store: Path):
        self.process = subprocess.Popen([program, store], stdout=subprocess.PIPE, text=True)
        told = json.loads(self.process.stdout.readline())
        address = urlsplit(told["url"])
        self.host, self.port, self.token = address.hostname, address.port, told["token"]
        self.context = ssl.create_default_context(cafile=told["certificate"])
        self.headers = {"x-api-key": self.token, "x-geti-csrf-protection": "1"}

    def connect(self) -> http.client.HTTPSConnection:
        """A new connection over TLS, without a request yet."""
        return http.client.HTTPSConnection(self.host, self.port, context=self.context, timeout=60)

    def ask(self, method: str, path: str, body=None) -> dict:
        """The answer to one request, with JSON there and back."""
        connection = self.connect()
        connection.request(method, path, body=body and json.dumps(body), headers=self.headers)
        return json.loads(connection.getresponse().read())

    def project(self) -> tuple[str, str, str]:
        """Makes a project; the paths of the workspace, of the project and of its dataset."""
        organizations = self.ask("GET", "/api/v1/personal_access_tokens/organization")
        organization = organizations["organizations"][0]["organizationId"]
        base = f"/api/v1/organizations/{organization}/workspaces"
        base = f"{base}/{self.ask('GET', base)['workspaces'][0]['id']}"
        labels = [{"name": name, "group": "g"} for name in ("a", "b")]
        task = {"title": "Classes", "task_type": "classification", "labels": labels}
        pipeline = {
            "connections": [{"from": "Dataset", "to": "Classes"}],
            "tasks": [{"title": "Dataset", "task_type": "dataset"}, task],
        }
        made = self.ask("POST", f"{base}/projects", {"name": "measured", "pipeline": pipeline})
        path = f"{base}/projects/{made['id']}"
        return base, path, f"{path}/datasets/{made['datasets'][0]['id']}"

    def memory_mb(self, field: str = "VmRSS") -> float:
        """Resident memory; `VmHWM` is the most that there ever was."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError(f"the server has no {field}: it has ended")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
