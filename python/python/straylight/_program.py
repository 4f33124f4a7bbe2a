"""The ``straylight`` program."""

import os
import signal
import sys


def main() -> None:
    """Runs the program with the arguments of this process and ends the process."""
    from . import _native, _runtime

    # Ctrl-C ends the program as it ends any other: nothing of Python's is to be cleaned up.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    runtime = _runtime.folder()
    if runtime is not None:
        os.environ.setdefault("STRAYLIGHT_OPENVINO", runtime)
    os.environ.setdefault("STRAYLIGHT_PYTHON", sys.executable)
    os.environ.setdefault("STRAYLIGHT_DEMO_ASSETS", _runtime.demo_assets())
    code = _native.run_program(["straylight", *sys.argv[1:]])
    sys.stdout.flush()
    sys.exit(code)


if __name__ == "__main__":
    main()
