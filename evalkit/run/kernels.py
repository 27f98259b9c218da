"""The process that a notebook runs in: this Python, one thread, nothing of the user's settings."""

from __future__ import annotations

import math
import os
import sys
import time
from pathlib import Path
from queue import Empty
from typing import Any, Final

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from traitlets import Unicode, default

from evalkit.core.errors import EnvironmentFault
from evalkit.run.fork_server import ADDRESS
from evalkit.run.kernel_main import OPTIONS
from evalkit.run.kernel_provisioner import MODULE, OwnProvisioner
from evalkit.run.threads import ONE_THREAD
from evalkit.run.workspace import SOURCE_ROOT

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
