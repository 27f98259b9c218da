"""Notebooks run in this process, each in a namespace of its own that nothing is left of."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import papermill
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines
from traitlets.config import Config

from evalkit.report.figures.plotting_state import INLINE, draw_below_cells
from evalkit.run.notebooks.shell import CellShell
from evalkit.run.notebooks.state import put_back
from evalkit.run.processes.light import ONE_THREAD
from evalkit.run.project.workspace import SOURCE_ROOT

if TYPE_CHECKING:
    from nbformat import NotebookNode

NAME: Final = "evalkit"
"""What papermill knows the engine by."""
_SKIPPED: Final = "skip-execution"
_LIKE_A_KERNEL: Final = {
    **dict.fromkeys(("CLICOLOR", "FORCE_COLOR", "CLICOLOR_FORCE"), "1"),
    **dict.fromkeys(("PAGER", "GIT_PAGER"), "cat"),
    "TERM": "xterm-color",
}
"""Variables that a kernel sets, which libraries ask for the manner of their outputs."""
CellStart = Callable[["NotebookNode", int], object]


class CellStopped(Exception):
    """A cell did not end: what stopped it, and the traceback as text."""

    def __init__(self, problem: BaseException, traceback: str) -> None:
        super().__init__()
        self.problem, self.traceback = problem, traceback


class CellTookTooLong(BaseException):
    """A cell took longer than a cell may; a cell that catches every `Exception` does not catch it."""


class OwnEngine(Engine):  # type: ignore[misc]
    """Executes the cells of a notebook in this process."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        private: Path,
        cell_seconds: float,
        on_cell_start: CellStart,
        **_: Any,
    ) -> None:
        """Execute every cell, up to the first that does not end; raise `CellStopped` for that."""
        with own_shell(private) as shell:
            for index, cell in enumerate(nb_man.nb.cells):
                nb_man.cell_start(cell, index)
                on_cell_start(cell, index)
                if _is_executed(cell):
                    _run(shell, cell, cell_seconds)
                nb_man.cell_complete(cell, index)


def run_notebook(
    notebook: Any, parameters: Mapping[str, str], private: Path, *, cell_seconds: float, on_cell_start: CellStart
) -> Any:
    """Return a notebook executed with parameters; `private` is an empty folder, the current one of its cells."""
    if NAME not in papermill_engines._engines:
        papermill_engines.register(NAME, OwnEngine)
    return papermill.execute_notebook(
        notebook,
        None,  # the path would be a template that a parameter can lead anywhere; and nothing half-done is written
        parameters=dict(parameters),
        engine_name=NAME,
        kernel_name="python3",
        progress_bar=False,
        log_output=False,
        private=private,
        cell_seconds=cell_seconds,
        on_cell_start=on_cell_start,
    )


def _is_executed(cell: NotebookNode) -> bool:
    is_code = cell.cell_type == "code" and bool(cell.source.strip())
    return is_code and _SKIPPED not in cell.metadata.get("tags", [])


def _run(shell: CellShell, cell: NotebookNode, seconds: float) -> None:
    """Execute a cell; what was foreseen to stop it from outside is raised as it is."""
    cell.execution_count = shell.execution_count
    with _within(seconds):
        cell.outputs = shell.run_source(cell.source)
    if shell.error is None:
        return
    problem, traceback = shell.error
    if isinstance(problem, KeyboardInterrupt | CellTookTooLong):
        raise problem.with_traceback(None)
    raise CellStopped(problem, traceback)


@contextmanager
def own_shell(private: Path) -> Iterator[CellShell]:
    """Give the shell for one notebook, and put back what its cells did to this process after the block."""
    with put_back():
        _settle(private)
        config = Config({"HistoryManager": {"enabled": False}})
        shell: CellShell = CellShell.instance(config=config, ipython_dir=str(private / "ipython"))
        sys.stdin, (sys.stdout, sys.stderr) = _NoInput(), shell.outputs.streams
        try:
            yield shell
        finally:
            _let_go(shell)


def _settle(private: Path) -> None:
    """Give a notebook the surroundings of a kernel that has just started in an empty folder."""
    os.environ.update(environment(private))
    os.chdir(private)
    draw_below_cells()


def environment(private: Path) -> dict[str, str]:
    """Return the variables that a notebook sees beside those of the process; `private` is a folder of its own."""
    return {
        **ONE_THREAD,
        **_LIKE_A_KERNEL,
        "PYTHONHASHSEED": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "PYTHONPATH": os.pathsep.join([str(SOURCE_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "MPLBACKEND": INLINE,
        "IPYTHONDIR": str(private / "ipython"),
        "JUPYTER_CONFIG_DIR": str(private / "config"),
    }


def _let_go(shell: CellShell) -> None:
    atexit.unregister(shell.atexit_operations)
    CellShell.clear_instance()
    with suppress(Exception):
        shell.atexit_operations()  # type: ignore[no-untyped-call]
    shell.restore_sys_module_state()  # type: ignore[no-untyped-call]


class _NoInput:
    """In place of standard input, which belongs to the process: nobody is there to answer a cell."""

    encoding = "UTF-8"

    def readline(self, size: int = -1) -> str:
        raise EOFError("Nobody is there to answer: a notebook of a report asks for no input.")

    read = readline

    def fileno(self) -> int:
        raise OSError("This stream has no number.")


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Raise `CellTookTooLong` in the block after so many seconds, where the system can."""
    can = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if not can:
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise CellTookTooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
