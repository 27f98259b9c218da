"""The process that a notebook runs in: this Python, one thread, nothing of the user's settings."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Final

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from traitlets import Unicode, default

from evalkit.run.workspace import SOURCE_ROOT

KERNEL: Final = "python3"
_ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def kernel_environment(private: Path) -> dict[str, str]:
    """Return the variables a kernel runs with; `private` is an empty folder for what Jupyter writes."""
    paths = [str(SOURCE_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **dict.fromkeys(_ONE_THREAD, "1"),
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
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        argv += ["--HistoryManager.enabled=False", "--IPKernelApp.capture_fd_output=False"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")


class OwnKernelManager(AsyncKernelManager):
    """Starts kernels of this Python, over files rather than network ports where the system has them."""

    private = Unicode()

    @default("kernel_spec_manager")
    def _own_specs(self) -> KernelSpecManager:
        return OwnKernelSpecs(parent=self)

    @default("transport")
    def _transport(self) -> str:
        return "tcp" if os.name == "nt" else "ipc"

    async def _async_pre_start_kernel(self, **options: Any) -> Any:
        options["env"] = {**os.environ, **options.get("env", {}), **kernel_environment(Path(self.private))}
        return await super()._async_pre_start_kernel(**options)


def manager_class(private: Path) -> type[OwnKernelManager]:
    """Return a class of kernel managers that keep their files in `private`."""
    connection = str(private / "kernel.json")
    members = {"private": Unicode(str(private)), "connection_file": Unicode(connection)}
    return type("RunKernelManager", (OwnKernelManager,), members)
