"""How long pages take at the server when a dataset has many images, as Markdown.

    cargo build --release -p straylight-server --examples
    target/release/examples/fill_for_tests STORE 100000 > ids
    python benchmarks/server/pages.py target/release/examples/serve_for_tests STORE $(cat ids)

Times are of whole answers over TLS on one connection: the median and the longest of 20.
"""

import argparse
import statistics
import time
from pathlib import Path

from running import Server

ROUNDS = 20


def ask(connection, server, method, path, body=None):
    """The seconds until the whole answer is there, and the answer."""
    started = time.perf_counter()
    connection.request(method, path, body=body, headers=server.headers)
    answer = connection.getresponse()
    content = answer.read()
    took = time.perf_counter() - started
    assert answer.status == 200, (path, answer.status, content[:300])
    return took, content


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("server", type=Path)
    parser.add_argument("store", type=Path)
    parser.add_argument("project")
    parser.add_argument("dataset")
    given = parser.parse_args()
    grid = f"/projects/{given.project}/datasets/{given.dataset}"
    pages = {
        "grid, first page": grid,
        "grid, page 1,000": f"{grid}?page=1000",
        "by time, page 1,000": f"{grid}?sort=newest&page=1000",
        "by label": f"{grid}?label=fish",
        "by hook and score": f"{grid}?hook=strays&min=0.5",
        "by a reason that few have": f"{grid}?reason=score+0.87",
        "by a reason that all have": f"{grid}?reason=ood",
        "by a reason that nobody has": f"{grid}?reason=drift",
        "by a reason, page 500": f"{grid}?reason=ood&page=500",
        "by a name that one has": f"{grid}?name=image_054321",
        "by a name that all have": f"{grid}?name=image",
        "one image, place 50,000": f"{grid}/view?at=50000",
        "plots": f"{grid}/plots",
    }
    with Server(given.server, given.store) as server:
        connection = server.connect()
        print("| page | median, ms | longest, ms |\n|---|---|---|")
        for name, path in pages.items():
            times = [ask(connection, server, "GET", path)[0] for _ in range(ROUNDS)]
            print(f"| {name} | {statistics.median(times) * 1e3:.1f} | {max(times) * 1e3:.1f} |")
        print(f"\nThe server's memory: {server.memory_mb('VmHWM'):.0f} MB at most.")


if __name__ == "__main__":
    main()
