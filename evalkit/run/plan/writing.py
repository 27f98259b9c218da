"""`evalkit plan`: the statistical analysis plan of a project, written before any outcome is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import evalkit
from evalkit.core.errors import EvalkitError, InputError
from evalkit.core.quantities import Unavailable
from evalkit.data.lock_file import PLAN_LOCK, read_plan_lock, typed_project
from evalkit.data.locks import write_whole
from evalkit.run.outputs.hashes import Hashes

if TYPE_CHECKING:
    from evalkit.core.manifest import Provenance
    from evalkit.core.project import Project
    from evalkit.data.published.project_data import ProjectData
    from evalkit.data.published.sources import Sources
    from evalkit.design.analysis_plan import ProjectDesign
    from evalkit.diagnose.evaluation import Evaluation
    from evalkit.report.plan.document import PlanContents
    from evalkit.run.commands.options import Given

PLAN_FOLDER: Final = "plan"
"""The folder beside a project file that its plan is written to."""
PAGE: Final = "plan.html"
ENTRY: Final = "registry-entry.md"
FILES: Final = (PAGE, "plan.docx", "plan.pdf", ENTRY)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MadePlan:
    """A plan that was made and is not yet written, with what it was made from."""

    project: Project
    sources: Sources
    design: ProjectDesign
    files: Mapping[str, bytes]


def plan_command(given: Given) -> int:
    """Write the plan of a project, print the path of its page, and return the exit code 0."""
    from evalkit.run.console import Progress
    from evalkit.run.processes.executors import compute_on_one_thread
    from evalkit.run.processes.failure import environment_faults
    from evalkit.run.project.chosen_data import chosen_here
    from evalkit.run.project.workspace import project_file
    from evalkit.run.typed_paths import out_folder

    compute_on_one_thread()
    path = project_file(given.project)
    data, progress = chosen_here(given, path), Progress()
    folder = out_folder(given.out) or path.parent / PLAN_FOLDER
    with environment_faults("writing the plan"):
        with progress.step(f"{given.project}: writing the plan, from the years before alone"):
            made = made_plan(path, data)
        _refuse_locked(made, path, folder)
        write_plan(made, folder)
    typed = typed_project(path, made.project.slug)
    progress.say(f"`evalkit lock {typed}` seals it; {ENTRY} is a draft for the Evaluation Registry.")
    print(folder / PAGE)
    return 0


def made_plan(project_file: Path, data: Path | None) -> MadePlan:
    """Return the plan of a project as files; the years before the programme are read, and no others."""
    from evalkit.report.documents.html import report_html
    from evalkit.report.documents.pdf import pdf_report
    from evalkit.report.documents.word import word_report
    from evalkit.report.plan.document import plan_document
    from evalkit.report.plan.registry_entry import registry_entry
    from evalkit.run.project.project_file import reference_of
    from evalkit.run.project.runner import find_data

    sources = find_data(data)
    contents = plan_contents(project_file, sources)
    document = plan_document(contents)
    files = {
        PAGE: report_html(document).encode(),
        "plan.docx": word_report(document, reference_of(contents.project, project_file.parent)),
        "plan.pdf": pdf_report(document),
        ENTRY: registry_entry(contents).encode(),
    }
    return MadePlan(project=contents.project, sources=sources, design=contents.design, files=files)


def plan_contents(project_file: Path, sources: Sources) -> PlanContents:
    """Return what the plan of a project is written from; the years before the programme are read, and no others."""
    from evalkit.data.published.project_data import read_baseline
    from evalkit.diagnose.power.report import PowerOptions
    from evalkit.report.documents.released import tables_of
    from evalkit.report.plan.document import PlanContents
    from evalkit.run.kinds.registry import design_project
    from evalkit.run.outputs.manifest import provenance
    from evalkit.run.project.chosen_data import telling_of_missing_data
    from evalkit.run.project.project_file import load_project
    from evalkit.run.tables.power import power_of

    project = load_project(project_file)
    with telling_of_missing_data(sources):
        baseline = read_baseline(project, project_file.parent, sources)
    design = design_project(project, baseline)
    results = laid_out(design, baseline)
    return PlanContents(
        design=design,
        power=power_of(project, baseline, sources, PowerOptions(level=project.inference.level)),
        provenance=_without_lock(provenance(project, project_file, sources)),
        code=Hashes().of_tree(Path(evalkit.__file__).parent),
        laid_out=results,
        tables={} if isinstance(results, Unavailable) else tables_of(results),
    )


def _without_lock(found: Provenance) -> Provenance:
    """Return what a plan is made from without its lock, which comes after it."""
    return replace(found, inputs=tuple(one for one in found.inputs if one.path != f"project/{PLAN_LOCK}"))


def laid_out(design: ProjectDesign, baseline: ProjectData) -> Evaluation | Unavailable:
    """Return what made-up results give, to lay out tables by; the reason where they cannot give it."""
    from evalkit.data.published.placeholders import with_placeholders
    from evalkit.run.kinds.registry import evaluate_project

    try:
        # a specification curve is not laid out: it says which choices it varies, and may be of thousands
        without_curve = replace(design, project=replace(design.project, choices=None))
        return evaluate_project(without_curve, with_placeholders(design.project, baseline))
    except EvalkitError as problem:
        return Unavailable(f"The tables of results could not be laid out on made-up results: {problem}")


def write_plan(made: MadePlan, folder: Path, is_kept: bool = False) -> None:
    """Write the files of a plan to a folder; with `is_kept` those that are there stay as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in made.files.items():
        if not (is_kept and (folder / name).is_file()):
            write_whole(folder / name, content)


def _refuse_locked(made: MadePlan, project_file: Path, folder: Path) -> None:
    """Raise `InputError` where writing would put another plan in the place of the locked one."""
    project_folder = project_file.parent
    locked = read_plan_lock(project_folder, made.project.slug)
    is_home = folder.resolve() == (project_folder / PLAN_FOLDER).resolve()
    page = folder / PAGE
    if locked is None or not is_home or not page.is_file() or page.read_bytes() == made.files[PAGE]:
        return
    if Hashes().of(page) == locked["plan"].get(f"{PLAN_FOLDER}/{PAGE}"):
        typed = typed_project(project_file, made.project.slug)
        raise InputError(
            f"{PLAN_FOLDER}/{PAGE} is the locked plan of {made.project.slug}, and the project has changed since. Give "
            f'--out DIR to read the plan as it would be now; `evalkit lock {typed} --amend "why"` puts '
            "that in its place and keeps this one."
        )
