"""`evalkit lab [PROJECT]`: JupyterLab on the workspace, with a project's notebooks ready to be run by hand."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evalkit.core.errors import EnvironmentFault, EvalkitError, InputError
from evalkit.data.locks import write_whole
from evalkit.run.notebooks.planned import PlannedNotebook, planned_notebooks
from evalkit.run.outputs.folder import PRIVATE
from evalkit.run.processes.failure import environment_faults
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
    from evalkit.run.project.project_file import load_project

    path = project_file(given.project)
    project = load_project(path)
    slug, data = project.slug, chosen_here(given, path)
    planned = planned_notebooks(project, path)
    prepared = prepare_notebooks(root, slug, {"project_file": path, "data": data}, planned, given.fresh)
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


# A project's notebooks, ready to be run by hand: parameters filled in, and what the user changed left alone.


LAB: Final = "lab"
RECORD: Final = ".made.json"
"""What was written, by notebook: the hash of its cells, so that a change by hand is seen."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The folder with a project's notebooks, those made now, and those kept as the user had changed them."""

    folder: Path
    made: tuple[str, ...]
    kept: tuple[str, ...]
    aside: tuple[str, ...]


def prepare_notebooks(
    root: Path,
    slug: str,
    parameters: Mapping[str, Path | None],
    planned: Sequence[PlannedNotebook],
    is_fresh: bool = False,
) -> Prepared:
    """Make the planned notebooks in `root`/lab/`slug`, with parameters as paths relative to that folder.

    A notebook whose cells the user changed is kept; with `is_fresh` it is put aside under another name and made anew.
    What notebooks share is emptied, so that nothing of an older version of the kit is read back.

    Raises
    ------
    InputError
        If the place is taken by a file, or no relative path leads to a parameter.
    EnvironmentFault
        If the folder may not be written.
    """
    folder = root / LAB / slug
    with environment_faults(f"making the notebooks in {folder}"):
        _make(folder)
        folder = folder.resolve()
        given = {name: "" if path is None else _relative(path, folder) for name, path in parameters.items()}
        return _written(folder, planned, {**given, "out": "."}, is_fresh)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"{folder} is a file, not a folder. Move it away and type the same command again.") from None
    shutil.rmtree(folder / PRIVATE, ignore_errors=True)
    (folder / PRIVATE).mkdir(mode=0o700, exist_ok=True)


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path.resolve(), folder)).as_posix()
    except ValueError:
        raise InputError(
            f"{path} is on another drive than the workspace, so that no relative path leads there. "
            "Put a copy on the drive of the workspace."
        ) from None


def _written(
    folder: Path, planned: Sequence[PlannedNotebook], parameters: Mapping[str, str], is_fresh: bool
) -> Prepared:
    known, made, kept, aside = _record(folder), [], [], []
    for one in sorted(planned, key=lambda one: one.name):
        name = f"{one.name}.ipynb"
        wanted, there = _filled(one, {**parameters, **one.parameters}), folder / name
        found = _cells_hash(there)
        if there.exists() and found not in (known.get(name), _hash(wanted)):
            if not is_fresh:
                kept.append(name)
                continue
            aside.append(_put_aside(there))
        elif found == _hash(wanted) and not is_fresh:
            known[name] = found
            continue
        _write(there, wanted)
        known[name] = _hash(wanted)
        made.append(name)
    _write(folder / RECORD, known)
    return Prepared(folder, tuple(made), tuple(kept), tuple(aside))


def _filled(planned: PlannedNotebook, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return a notebook with its parameters in the place of those it was written with, and no outputs.

    One of the evaluator's own keeps what it declares beside them, and need not declare them all.
    """
    path = planned.path
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if "parameters" in cell["metadata"].get("tags", [])]
    if len(cells) != 1 and not planned.is_own:
        raise EvalkitError(f"{path.name} must have one cell of parameters; please report this.")
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in parameters.items()]
    for cell in cells:
        own = ["".join(cell["source"]), "# Parameters of this project:"] if planned.is_own else []
        cell["source"] = "\n".join([*own, *lines])
    for cell in notebook["cells"] if planned.is_own else []:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return notebook


def _hash(notebook: Mapping[str, Any]) -> str:
    """Return the hash of what was written in a notebook's cells; outputs and settings are not part of it."""
    cells = [[cell["cell_type"], "".join(cell["source"])] for cell in notebook["cells"]]
    return hashlib.sha256(json.dumps(cells).encode("utf-8")).hexdigest()


def _cells_hash(path: Path) -> str:
    """Return the hash of a notebook's cells, empty where there is none that can be read."""
    try:
        return _hash(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return ""


def _record(folder: Path) -> dict[str, str]:
    try:
        found = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _put_aside(path: Path) -> str:
    """Give a notebook a name that is free and return it."""
    number = 1
    while (other := path.with_name(f"{path.stem}-before-{number}.ipynb")).exists():
        number += 1
    path.rename(other)
    return other.name


def _write(path: Path, content: Mapping[str, Any]) -> None:
    write_whole(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode("utf-8"))
