"""How long work shows its progress."""

from __future__ import annotations

import sys
from collections.abc import Callable

#: Is called with what is done, how many steps, and of how many.
Progress = Callable[[str, int, int], None]


class Bar:
    """A progress bar: tqdm's, in a notebook that of notebooks."""

    def __init__(self) -> None:
        self._what: str | None = None
        self._bar = None

    def __call__(self, what: str, done: int, total: int) -> None:
        if what != self._what:
            self.close()
            if not what or total == 0:
                return
            from tqdm.auto import tqdm

            self._what = what
            self._bar = tqdm(total=total, desc=what)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Ends the bar that is shown."""
        if self._bar is not None:
            self._bar.close()
        self._bar = None
        self._what = None


def _is_watched() -> bool:
    """Whether somebody sees a bar: a terminal, or a notebook."""
    return "ipykernel" in sys.modules or (sys.stderr is not None and sys.stderr.isatty())


class showing:
    """Shows progress while a block runs: ``with showing(True) as progress``.

    ``wanted`` is True (a bar, if somebody sees it and tqdm is installed), False, or a function
    that is called with what is done, how many steps, and of how many.
    """

    def __init__(self, wanted: bool | Progress = True) -> None:
        self._progress: Progress | None = None
        if callable(wanted):
            self._progress = wanted
        elif wanted and _is_watched():
            try:
                import tqdm  # noqa: F401
            except ImportError:
                return
            self._progress = Bar()

    def __enter__(self) -> Progress | None:
        return self._progress

    def __exit__(self, *_: object) -> None:
        if isinstance(self._progress, Bar):
            self._progress.close()
