"""The process that a notebook runs in: this Python, one thread, nothing of the user's settings, forked where it can be."""

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
from evalkit.run.processes.fork_server import address_here
from evalkit.run.processes.forked_process import ForkedProcess
from evalkit.run.processes.forked_process import Launch
from evalkit.run.processes.forked_process import fork
import math
import sys
from pathlib import Path
from queue import Empty
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from traitlets import Unicode, default
from evalkit.core.errors import EnvironmentFault
from evalkit.run.processes.fork_server import ADDRESS
from evalkit.run.notebooks.kernel_main import OPTIONS
from evalkit.run.processes.light import ONE_THREAD
from evalkit.run.project.workspace import SOURCE_ROOT


# The process behind a kernel: forked from the server where there is one, started afresh otherwise.

MODULE: Final = "evalkit.run.notebooks.kernel_main"
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


# The process that a notebook runs in: this Python, one thread, nothing of the user's settings.

KERNEL: Final = "python3"
_LONGEST_FOLDER: Final = 80  # bytes, beyond which the names of sockets in it become too long for the system


def kernel_environment(private: Path) -> dict[str, str]:
    """Return the variables a kernel runs with; `private` is an empty folder for what Jupyter writes."""
    paths = [str(SOURCE_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **ONE_THREAD,
        "PYTHONHASHSEED": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "PYTHONPATH": os.pathsep.join(paths),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "IPYTHONDIR": str(private / "ipython"),
        "JUPYTER_CONFIG_DIR": str(private / "config"),
    }


class OwnKernelSpecs(KernelSpecManager):
    """Answers every name with the Python that runs this, whatever kernels are installed."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return the kernel of this Python."""
        argv = [sys.executable, "-P", "-m", MODULE, "-f", "{connection_file}", *OPTIONS]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")


class OwnKernelClient(AsyncKernelClient):
    """Takes a kernel to be ready when it has answered on the channels for requests and for outputs.

    The client it derives from then waits a fifth of a second for more outputs, to throw them away; here they are passed
    over when they come, as they belong to no cell.
    """

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Return when the kernel answers.

        Raises
        ------
        DeadKernelError
            If its process ended instead.
        EnvironmentFault
            After `timeout` seconds.
        """
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        while not await self._answers():
            if not await self.is_alive():
                raise DeadKernelError("The kernel ended before it was ready.")
            if time.monotonic() > deadline:
                raise EnvironmentFault(
                    f"The process for a notebook was not ready after {timeout:.0f} seconds. "
                    "Most often the machine is busy: close other programs, and type the same command again."
                )

    async def _answers(self) -> bool:
        self.kernel_info()
        try:
            await self.shell_channel.get_msg(timeout=1)
            await self.iopub_channel.get_msg(timeout=0.2)
        except Empty:
            return False
        return True


class OwnKernelManager(AsyncKernelManager):
    """Starts kernels of this Python, over files rather than network ports where the system has them."""

    private = Unicode()

    @default("client_factory")
    def _own_client(self) -> type[OwnKernelClient]:
        return OwnKernelClient

    @default("kernel_spec_manager")
    def _own_specs(self) -> KernelSpecManager:
        return OwnKernelSpecs(parent=self)

    @default("transport")
    def _transport(self) -> str:
        is_long = len(os.fsencode(self.private)) > _LONGEST_FOLDER
        return "tcp" if os.name == "nt" or is_long else "ipc"

    async def _async_pre_start_kernel(self, **options: Any) -> Any:
        if self.provisioner is None:
            self.provisioner = OwnProvisioner(kernel_spec=self.kernel_spec, parent=self)
        options["env"] = {**os.environ, **options.get("env", {}), **kernel_environment(Path(self.private))}
        options["env"].pop(ADDRESS, None)  # a notebook starts no processes, and sees the same however it was started
        return await super()._async_pre_start_kernel(**options)


def manager_class(private: Path) -> type[OwnKernelManager]:
    """Return a class of kernel managers that keep their files in `private`."""
    connection = str(private / "kernel.json")
    members = {"private": Unicode(str(private)), "connection_file": Unicode(connection)}
    return type("RunKernelManager", (OwnKernelManager,), members)
