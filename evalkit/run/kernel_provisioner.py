"""The process behind a kernel: forked from the server where there is one, started afresh otherwise."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from evalkit.run.fork_server import address_here
from evalkit.run.forked_process import ForkedProcess, Launch, fork

MODULE: Final = "evalkit.run.kernel_main"
_NO_PARENT_TO_WATCH: Final = "--IPKernelApp.parent_handle=1"
_ENDING_SECONDS: Final = 5.0
Process = ForkedProcess | subprocess.Popen[bytes]


class OwnProvisioner(LocalProvisioner):
    """Starts a kernel within the process group of the process that asks, so that both are measured and ended together.

    What the kernel writes outside of its cells goes to standard error: standard output may be read by a program.
    """

    process: Any = None
    parent: Any

    async def launch_kernel(self, cmd: list[str], **options: Any) -> Any:
        """Start the kernel and return how to connect to it."""
        if os.name == "nt":  # no groups of processes there
            return await super().launch_kernel(cmd, **options)
        environment = {**options["env"], "JPY_PARENT_PID": str(os.getpid())}
        self.process = _kernel(cmd, environment, str(options.get("cwd") or os.getcwd()))
        self.pid, self.cwd = self.process.pid, options.get("cwd")
        return self.connection_info

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel, but no interruption before it is killed, of which it would only complain."""
        if not (signum == signal.SIGINT and self.parent.shutting_down):
            await super().send_signal(signum)

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel and return when it has ended."""
        if self.process is None:
            return
        self.process.kill()
        deadline = time.monotonic() + _ENDING_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            await asyncio.sleep(0.002)


def _kernel(command: Sequence[str], environment: Mapping[str, str], folder: str) -> Process:
    if (address := address_here()) is not None:
        with suppress(OSError):  # the server has ended: start afresh
            return _forked(address, command[command.index(MODULE) + 1 :], environment, folder)
    return _started(command, environment, folder)


def _forked(address: str, arguments: Sequence[str], environment: Mapping[str, str], folder: str) -> ForkedProcess:
    """Return a kernel forked from the server at `address`, which is killed when this process ends."""
    launch = Launch(MODULE, (*arguments, _NO_PARENT_TO_WATCH), env=environment, cwd=folder, group=os.getpgrp())
    return fork(address, launch, stdin=subprocess.DEVNULL, stdout=2)


def _started(command: Sequence[str], environment: Mapping[str, str], folder: str) -> subprocess.Popen[bytes]:
    """Return a kernel started afresh, which ends a second after this process at the latest."""
    return subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=2,
        env=environment,
        cwd=folder,
    )
