"""Notebooks executed with validated parameters; their status comes from the exception alone."""

from __future__ import annotations

import ast
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from evalkit.core.errors import EnvironmentFault, EvalkitError, InputError
from evalkit.core.words import cleaned
from evalkit.run.processes.failure import OUT_OF_MEMORY, NotebookPlace, TookTooLong, environment_faults, fault
from evalkit.run.processes.light import import_jsonschema

PARAMETERS: Final = ("project_file", "data", "out")
CELL_SECONDS: Final = 24 * 3600
"""How long a cell may take where nothing watches the project; what does has limits of its own."""


_LONGEST_ERROR: Final = 400
"""Characters of the message of an error in the evaluator's own notebook."""


class NotebookFailure(EvalkitError):
    """An error nobody foresaw, in a notebook. `log` is for the log file, never for a released file."""

    def __init__(self, message: str, log: str) -> None:
        super().__init__(message)
        self.log = log


def execute(
    path: Path, parameters: Mapping[str, str], note: Callable[[str, str], None] | None = None, is_own: bool = False
) -> dict[str, Any]:
    """Run one notebook in this process, in a namespace of its own, and return it with its outputs.

    `note` is told the heading and the call of each cell before it runs; an error carries those of its cell. One of the
    evaluator's own (`is_own`) may declare fewer parameters, and its errors are told in their own words.

    Raises
    ------
    EvalkitError
        The error the notebook raised, as it was; `EnvironmentFault` where the machine stopped it;
        `NotebookFailure` for an error that is not one of the kit's.
    """
    import_jsonschema()
    import nbformat

    with environment_faults(f"reading {path.name}"):
        notebook = _read(nbformat, path, is_own)
    _prepare(notebook, path.name)
    if is_own:
        parameters = _declared_alone(notebook, path.name, parameters)
    else:
        _require_parameters(notebook, path.name, parameters)
    with environment_faults(f"running {path.name}"), tempfile.TemporaryDirectory(prefix="evalkit-") as private:
        place = NotebookPlace(note)
        done: dict[str, Any] = _executed(notebook, path.name, dict(parameters), Path(private), place, is_own)
    return done


def _read(nbformat: Any, path: Path, is_own: bool) -> Any:
    try:
        return nbformat.read(path, as_version=4)
    except (ValueError, nbformat.ValidationError):  # JSON that is none, or no notebook
        if not is_own:
            raise
        raise InputError(f"{path.name} cannot be read as a notebook. Save it again from JupyterLab.") from None


def _executed(
    notebook: Any, name: str, parameters: dict[str, str], private: Path, place: NotebookPlace, is_own: bool
) -> Any:
    from evalkit.run.notebooks.engine import CellStopped, CellTookTooLong, run_notebook

    try:
        return run_notebook(notebook, parameters, private, cell_seconds=CELL_SECONDS, on_cell_start=place)
    except CellStopped as stopped:
        told = own_error if is_own else error_of
        raise place.marked(told(name, stopped.problem, stopped.traceback)) from None
    except CellTookTooLong:
        hours = f"{CELL_SECONDS / 3600:g} hours"
        late = TookTooLong(f"A cell of {name} took longer than {hours} and was stopped. Nothing was written.")
        raise place.marked(late) from None


def error_of(name: str, problem: BaseException, traceback: str) -> EvalkitError:
    """Return what a cell of a notebook raised, for users: the kit's own as it was, any other as one sentence."""
    if isinstance(problem, EvalkitError):
        return problem.with_traceback(None)
    if isinstance(problem, MemoryError):
        return EnvironmentFault(f"Stopped in {name}. {OUT_OF_MEMORY}")
    if isinstance(problem, OSError):
        found = fault(OSError(problem.errno or 0, ""), f"running {name}")  # a file's name may hold what was in the data
        if found is not None:
            return found
    if isinstance(problem, SystemExit):
        return EvalkitError(f"{name} was ended by its own code. Take `exit` or `sys.exit` out of its cells.")
    log = re.sub(r"\x1b\[[0-9;]*m", "", traceback)  # the message of the error stands there alone: it may hold values
    kind = type(problem).__name__
    return NotebookFailure(f"{name} stopped at an error that this kit did not foresee ({kind}).", log)


def own_error(name: str, problem: BaseException, traceback: str) -> EvalkitError:
    """Return what a cell of the evaluator's own notebook raised: its kind and its message."""
    known = error_of(name, problem, traceback)
    if not isinstance(known, NotebookFailure):
        return known
    said = " ".join(str(problem).split())
    what = f"{type(problem).__name__}: {said}" if said else type(problem).__name__
    return NotebookFailure(f"{name} stopped at an error: {cleaned(what[:_LONGEST_ERROR])}", known.log)


def _declared(notebook: Any) -> tuple[int, list[str]]:
    """Return how many cells declare parameters, and the names that they declare."""
    tagged = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    statements = [statement for cell in tagged for statement in ast.parse(cell.source).body]
    targets = [target for one in statements if isinstance(one, ast.Assign) for target in one.targets]
    return len(tagged), [target.id for target in targets if isinstance(target, ast.Name)]


def _declared_alone(notebook: Any, name: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """Return those of the parameters that a notebook of the evaluator's own declares; raise where it has two cells."""
    try:
        n_cells, declared = _declared(notebook)
    except SyntaxError:
        raise InputError(f"The cell of parameters of {name} is not Python.") from None
    if n_cells > 1:
        raise InputError(f"{name} has {n_cells} cells with the tag `parameters`; it may have one.")
    return {key: value for key, value in parameters.items() if key in declared}


def _prepare(notebook: Any, name: str) -> None:
    """Leave only what was written by hand: no injected cell, no outputs, no settings of another run."""
    if notebook.nbformat != 4:
        raise EvalkitError(f"{name} is not a notebook of format 4; please report this.")
    notebook.cells = [cell for cell in notebook.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    notebook.metadata.clear()
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None


def _require_parameters(notebook: Any, name: str, parameters: Mapping[str, object]) -> None:
    """Raise unless the notebook declares exactly the parameters it is given, each a text."""
    n_cells, declared = _declared(notebook)
    if n_cells != 1 or sorted(declared) != sorted(parameters):
        raise EvalkitError(
            f"{name} must declare the parameters {', '.join(parameters)} in one cell; it declares "
            f"{', '.join(declared) or 'none'}. Please report this."
        )
    wrong = [key for key, value in parameters.items() if not isinstance(value, str)]
    if wrong:
        raise EvalkitError(f"The parameter {wrong[0]} of {name} must be text; please report this.")
