"""`evalkit lab [PROJECT]`: JupyterLab on the workspace, with a project's notebooks ready to be run by hand."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evalkit.core.errors import EnvironmentFault, InputError
from evalkit.run.project.chosen_data import DataChoice, chosen_here
from evalkit.run.project.workspace import SOURCE_ROOT, project_file, writable_root

if TYPE_CHECKING:
    from evalkit.run.commands.options import Given

HOST: Final = "127.0.0.1"
_SECONDS_TO_END: Final = 20
_FIRST: Final = "1_design.ipynb"
_SETTINGS: Final = Path(__file__).with_name("lab_settings")
"""Settings of JupyterLab: no question about news."""


def lab_command(given: Given) -> int:
    """Make the notebooks, run JupyterLab until it is ended, and return the exit code."""
    _require(given)
    root, opened = writable_root(), ""
    if given.project is not None:
        opened = f"/{_prepared(given, root)}/{_FIRST}"
    print(f"JupyterLab opens on {root}. Ctrl-C ends it.", file=sys.stderr, flush=True)
    return _served(_command(root, given.port, given.no_browser, opened), root)


def _require(given: Given) -> None:
    """Raise `InputError` or `EnvironmentFault` for what cannot be done, before anything is made."""
    if find_spec("jupyterlab") is None:
        raise EnvironmentFault("JupyterLab is not installed in this Python. Type: python -m pip install jupyterlab")
    DataChoice.of(given)
    if given.port is not None:
        _require_free(given.port)


def _require_free(port: int) -> None:
    try:
        with socket.socket() as held:
            if os.name != "nt":  # a port that an ended server has just left is free
                held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.bind((HOST, port))
    except PermissionError:
        raise InputError(f"Port {port} may not be used on this machine. Give one from 1024 on with --port.") from None
    except OSError:
        raise InputError(
            f"Port {port} is taken by another program. Give another with --port, or leave the option out."
        ) from None


def _prepared(given: Given, root: Path) -> str:
    """Make the notebooks, say what was made and kept, and return their folder relative to the root."""
    from evalkit.run.lab.lab_notebooks import LAB, prepare_notebooks
    from evalkit.run.project.project_file import load_project

    path = project_file(given.project)
    slug = load_project(path).slug
    data = chosen_here(given, path)
    prepared = prepare_notebooks(root, slug, {"project_file": path, "data": data}, given.fresh)
    where = f"{LAB}/{slug}"
    print(f"The notebooks of {slug} are in {where}. Begin with {_FIRST}: it locks the design.", file=sys.stderr)
    for name in prepared.kept:
        print(
            f"{where}/{name} was changed by hand and is kept as it is, parameters and all; --fresh puts it aside and "
            "makes it anew.",
            file=sys.stderr,
        )
    for name in prepared.aside:
        print(f"What was changed by hand is kept as {where}/{name}.", file=sys.stderr)
    if data is None:
        said = "" if given.synthetic else "No --data was given: "
        print(f"{said}the synthetic England is read, made-up schools.", file=sys.stderr)
    return where


def _command(root: Path, port: int | None, is_quiet: bool, opened: str) -> list[str]:
    options = {
        "ServerApp.root_dir": str(root),
        "ServerApp.ip": HOST,
        "ServerApp.answer_yes": "True",  # one Ctrl-C ends it, without a question
        "ServerApp.log_level": "ERROR",
        "LabApp.log_level": "ERROR",
        "ServerApp.open_browser": str(not is_quiet),
        "LabApp.default_url": f"/lab/tree{opened}" if opened else "/lab",
        "LabApp.news_url": "None",  # nothing is fetched from the network, here and below
        "LabApp.extension_manager": "readonly",
        "LabApp.check_for_updates_class": "jupyterlab.handlers.announcements.NeverCheckForUpdate",
    }
    if port is not None:
        options |= {"ServerApp.port": str(port), "ServerApp.port_retries": "0"}
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options["ServerApp.allow_root"] = "True"  # in a container; it listens on this machine alone
    return [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items())]


def _environment() -> dict[str, str]:
    """Return variables under which a notebook run by hand computes as one that a run executes."""
    from evalkit.run.processes.light import ONE_THREAD

    return {
        **os.environ,
        **ONE_THREAD,
        "PYTHONHASHSEED": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "PYTHONPATH": _before("PYTHONPATH", SOURCE_ROOT),
        "JUPYTER_CONFIG_PATH": _before("JUPYTER_CONFIG_PATH", _SETTINGS),
        "JUPYTER_PREFER_ENV_PATH": "1",  # the kernel of this Python comes before one of the same name elsewhere
    }


def _before(name: str, folder: Path) -> str:
    """Return a variable that lists folders with one more in front."""
    return os.pathsep.join([str(folder), *filter(None, [os.environ.get(name)])])


def _served(command: list[str], root: Path) -> int:
    """Run the server until it ends or is interrupted; return 0, or 1 where it could not go on."""
    server = subprocess.Popen(command, cwd=root, env=_environment())
    try:
        code = server.wait()
    except KeyboardInterrupt:
        _end(server)
        print("JupyterLab has ended. Notebooks are as they were last saved.", file=sys.stderr)
        return 0
    finally:
        if server.poll() is None:
            server.kill()
    if code == 0:
        return 0
    print("evalkit: JupyterLab ended by itself; what it said stands above.", file=sys.stderr)
    return 1


def _end(server: subprocess.Popen[bytes]) -> None:
    """Ask the server to end its kernels and itself."""
    for number in [signal.SIGTERM] if os.name == "nt" else [signal.SIGINT, signal.SIGTERM]:
        server.send_signal(number)
        try:
            server.wait(_SECONDS_TO_END)
            return
        except subprocess.TimeoutExpired:
            continue
        except KeyboardInterrupt:  # pressed twice
            continue
