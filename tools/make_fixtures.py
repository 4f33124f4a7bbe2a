"""Make `fixtures/demo_io`, `fixtures/resize`, `fixtures/cood` and `fixtures/detectors`.

    pip install -r tools/requirements.txt
    python tools/make_fixtures.py --demo assets/demo --golden GOLDEN --out fixtures

GOLDEN holds `cood/` and `detectors/` as `fixtures/README.md` describes them; without
`--golden` those two folders stay as they are. `tools/make_images.py` makes
`fixtures/images`.
"""

import argparse
import warnings
from pathlib import Path

# ModelAPI announces that the call through which geti-sdk 2.13.1 pre-processes will go.
warnings.filterwarnings("ignore", category=DeprecationWarning)

import fixtures_demo  # noqa: E402
import fixtures_golden  # noqa: E402
import fixtures_resize  # noqa: E402


def main() -> None:
    """Make the fixtures that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--demo", type=Path, required=True, help="the demo's assets")
    parser.add_argument("--golden", type=Path, help="golden numbers to convert")
    parser.add_argument("--out", type=Path, required=True, help="folder to write, e.g. fixtures")
    args = parser.parse_args()
    if args.golden:
        fixtures_golden.convert(args.golden, args.out)
    fixtures_resize.make(args.out / "resize")
    fixtures_demo.make(args.demo, args.out / "demo_io")


if __name__ == "__main__":
    main()
