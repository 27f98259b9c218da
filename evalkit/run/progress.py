"""Progress on standard error: one line a step, and a sign of life in between."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from evalkit.core.safe_text import cleaned

HEARTBEAT_SECONDS = 10.0


class Progress:
    """Says what a run does and how long it has taken; silent where `is_quiet`."""

    def __init__(self, is_quiet: bool = False) -> None:
        self.started = time.monotonic()
        self.is_quiet = is_quiet

    def say(self, text: str) -> None:
        """Print one line with the seconds since the start."""
        if not self.is_quiet:
            print(f"[{time.monotonic() - self.started:5.1f} s] {cleaned(text)}", file=sys.stderr, flush=True)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Announce a step, and every ten seconds of it that it goes on."""
        self.say(text)
        finished = threading.Event()
        heart = threading.Thread(target=self._beat, args=(text, finished), daemon=True)
        heart.start()
        try:
            yield
        finally:
            finished.set()
            heart.join()

    def cell(self, heading: str, call: str) -> None:
        """Take note of the cell of a notebook that is about to run; nothing is shown of it."""

    def _beat(self, text: str, finished: threading.Event) -> None:
        while not finished.wait(HEARTBEAT_SECONDS):
            self.say(f"{text}, still at work")
