"""One project from its file to its outputs folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.core.errors import InputError
from evalkit.core.project import Project
from evalkit.run.console import Progress
from evalkit.run.notebooks.planned import PlannedNotebook, in_report_order, planned_notebooks
from evalkit.run.notebooks.session import DESIGN, kept_for_all, open_evaluation, read_once, synthetic_folder
from evalkit.run.outputs.content_key import content_key, shown_data
from evalkit.run.outputs.folder import MANIFEST, Staging, refuse_foreign, staging
from evalkit.run.outputs.hashes import Hashes
from evalkit.run.processes.failure import environment_faults
from evalkit.run.project.chosen_data import telling_of_missing_data
from evalkit.run.project.project_file import claims_of, load_project, reference_of
from evalkit.run.project.workspace import default_store, notebooks_folder

if TYPE_CHECKING:
    from evalkit.data.published.project_data import ProjectData
    from evalkit.data.published.sources import Sources
    from evalkit.report.documents.document import ExecutedNotebook


@dataclass(frozen=True, slots=True)
class Request:
    """What to run: a project file, the folder of published files (None: the synthetic England), and where to write."""

    project_file: Path
    data: Path | None
    out: Path


def run_project(request: Request, progress: Progress) -> Path:
    """Run one project and return its outputs folder, replaced whole; nothing is written where anything fails."""
    project = load_project(request.project_file)
    refuse_foreign(request.out / project.slug)
    with environment_faults(f"running {project.slug}"):
        with progress.step(f"{project.slug}: reading and checking {_named(request)}"):
            sources = find_data(request.data)
            key = _key(request, sources)
            records = preflight(project, request.project_file, sources)
        with staging(request.out, project.slug) as made:
            read_once(request.project_file, sources, str(made.folder), records)
            _fill(made, project, request, sources, key, progress)
            return made.release()


def find_data(folder: Path | None) -> Sources:
    """Return the published files of a folder, or those of the synthetic England."""
    from evalkit.data.published.sources import find_sources
    from evalkit.data.store.in_use import use_store

    if folder is None:
        return find_sources(synthetic_folder())
    if not folder.exists():
        raise InputError(f"{folder}: there is no such folder. Give the folder of published files with --data.")
    use_store(default_store())
    return find_sources(folder.resolve())


def preflight(project: Project, path: Path, sources: Sources) -> ProjectData:
    """Read and return everything a run will read, so that bad input is found before anything is made."""
    from evalkit.data.published.project_data import read_records

    claims_of(project, path.parent)
    reference_of(project, path.parent)
    with telling_of_missing_data(sources):
        return read_records(project, path.parent, sources, kept_for_all(sources))


def _key(request: Request, sources: Sources) -> str:
    """Return the key of what the run reads now, every file read anew."""
    return content_key(request.project_file, sources.folder, Hashes(), shown_data(request.data))


def _fill(made: Staging, project: Project, request: Request, sources: Sources, key: str, progress: Progress) -> None:
    from evalkit.report.documents.released import released_files
    from evalkit.run.notebooks.tidy import notebook_bytes
    from evalkit.run.outputs.manifest import input_files, make_manifest, manifest_bytes

    inputs = input_files(project, request.project_file, sources)
    parameters = {"project_file": str(request.project_file), "data": str(sources.folder), "out": str(made.folder)}
    notebooks = _notebooks(project, parameters, request, progress)
    with progress.step(f"{project.slug}: writing the report"):
        evaluation = open_evaluation(**parameters)
        reference = reference_of(project, request.project_file.parent)
        files = released_files(evaluation, notebooks, reference)
        files |= {f"notebooks/{one.name}.ipynb": notebook_bytes(one.content) for one in notebooks}
        design = made.folder / DESIGN
        files |= {DESIGN: design.read_bytes()} if design.exists() else {}
        manifest = make_manifest(project, sources, inputs, files)
        manifest = replace(
            manifest,
            key=key if _key(request, sources) == key else "",
            notebooks={
                one.path.name: Hashes().of(one.path) for one in planned_notebooks(project, request.project_file)
            },
            shown=shown_data(request.data),
        )
        made.write({**files, MANIFEST: manifest_bytes(manifest)})


def _notebooks(
    project: Project, parameters: dict[str, str], request: Request, progress: Progress
) -> list[ExecutedNotebook]:
    """Execute every notebook and return them, tidied, in the order of the report."""
    from evalkit.run.notebooks.execute import execute
    from evalkit.run.notebooks.tidy import tidy

    shown = {
        "project_file": f"data/projects/{project.slug}/project.yml",
        "data": shown_data(request.data),
        "out": "",
    }
    done: dict[str, dict[str, Any]] = {}
    planned = planned_notebooks(project, request.project_file)
    for one in planned:
        with progress.step(f"{project.slug}: notebook {one.name}"):
            notebook = execute(one.path, {**parameters, **one.parameters}, progress.cell, is_own=one.is_own)
            done[one.name] = tidy(notebook, {**shown, **one.parameters}, _names(parameters, project))
    return [_executed(one, done[one.name], project) for one in in_report_order(planned)]


def _executed(one: PlannedNotebook, content: dict[str, Any], project: Project) -> ExecutedNotebook:
    """Return an executed notebook as the report takes it; of one of the evaluator's own only what may be shown."""
    from evalkit.report.documents.document import ExecutedNotebook
    from evalkit.report.documents.own_notebooks import own_notice, released_own

    named = one.parameters.get("analysis", "") if len(project.analyses) > 1 else ""
    return ExecutedNotebook(
        name=one.name,
        content=released_own(content, one.is_unchecked) if one.is_own else content,
        title=one.title,
        notice=own_notice(content, one.is_unchecked) if one.is_own else "",
        after=one.place[0],
        of_analysis=named,
    )


def _names(parameters: dict[str, str], project: Project) -> dict[str, str]:
    """Return what to write for each path of this machine that could stand in an output."""
    import sys
    import tempfile

    folder = Path(parameters["project_file"]).parent
    return {
        parameters["out"]: f"outputs/{project.slug}",
        parameters["data"]: "data",
        str(folder): f"data/projects/{project.slug}",
        str(notebooks_folder(Path(parameters["project_file"])).parent): "evalkit",
        sys.prefix: "python",
        tempfile.gettempdir(): "temporary",
        str(Path.home()): "home",
    }


def _named(request: Request) -> str:
    return (
        "the synthetic England (made-up schools; give --data for published files)"
        if request.data is None
        else "the data"
    )
