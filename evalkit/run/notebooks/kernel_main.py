"""A notebook's kernel: `main` of the process that runs it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final, cast

OPTIONS: Final = (
    "--HistoryManager.enabled=False",
    "--IPKernelApp.capture_fd_output=False",
)
"""What every kernel is started with, beside its connection file."""


def main(arguments: Sequence[str]) -> int:
    """Serve one notebook until it is told to end."""
    # Nobody debugs these kernels, and half of the time to start one went into importing the debugger.
    cast(dict[str, Any], sys.modules).setdefault("debugpy", None)
    from ipykernel.kernelapp import IPKernelApp

    application: Any = IPKernelApp.instance()
    application.initialize(list(arguments))
    application.start()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
