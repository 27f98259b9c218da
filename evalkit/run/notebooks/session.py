"""What a notebook calls: the design without any follow-up outcome, and then the evaluation."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from evalkit.core.errors import DesignError
from evalkit.data.locks import write_whole
from evalkit.run.outputs.folder import PRIVATE
from evalkit.run.processes.failure import environment_faults
from evalkit.run.processes.temporary import folder_to_be
from evalkit.run.project.workspace import default_store, no_files_place, reads_published, synthetic_place

if TYPE_CHECKING:
    from evalkit.core.manifest import Provenance
    from evalkit.core.plan_lock import PlanKept
    from evalkit.data.published.project_data import DataRequest, Keep, ProjectData, Tables
    from evalkit.data.published.sources import Sources
    from evalkit.design.analysis_plan import AnalysisPlan, ProjectDesign
    from evalkit.diagnose.evaluation import AnalysisResults, Evaluation

DESIGN: Final = "design.json"
READ_ONCE: Final = "EVALKIT_READ_ONCE"
"""Names the variable that holds the private folder in which the projects of one command share what they read."""
T = TypeVar("T")


def open_design(project_file: str, data: str = "", out: str = "") -> ProjectDesign:
    """Return the design of a project, made from what was known before the programme.

    `data` is the folder of published files, "" the synthetic England, or none for a project that has tables of its own
    alone; the plans of its analyses are locked in
    `out`/design.json, unless `out` is "".
    """
    with environment_faults("designing the comparison"):
        design = _design_once(Shared(Path(project_file), _sources(project_file, data), out))
        if out:
            write_whole(Path(out) / DESIGN, design.to_json().encode("utf-8"))
    return design


def open_plan(project_file: str, data: str = "", out: str = "", analysis: str = "") -> AnalysisPlan:
    """Return the plan of one analysis, that of the primary one where none is named; arguments as of `open_design`."""
    design = open_design(project_file, data, out)
    return design.plan(analysis) if analysis else design.primary


def open_analysis(project_file: str, data: str = "", out: str = "", analysis: str = "") -> AnalysisResults:
    """Return the results of one analysis, of the primary one where none is named; arguments as of `open_evaluation`."""
    evaluation = open_evaluation(project_file, data, out)
    return evaluation.analysis(analysis) if analysis else evaluation.primary


def open_evaluation(project_file: str, data: str = "", out: str = "") -> Evaluation:
    """Return all of a project's results; raise `DesignError` where the design is not the one locked in `out`."""
    with environment_faults("estimating"):
        shared = Shared(Path(project_file), _sources(project_file, data), out)
        return shared.kept("evaluation", lambda: _evaluate(shared))


def open_provenance(project_file: str, data: str = "", out: str = "") -> Provenance:
    """Return what the report is made from: parameters, files with their hashes, versions, commit.

    `data` is the folder of published files, "" the synthetic England; `out` is where the other notebooks keep what
    they share, and changes nothing here.
    """
    from evalkit.run.outputs.manifest import provenance
    from evalkit.run.project.project_file import load_project

    with environment_faults("reading what the report is made from"):
        shared = Shared(Path(project_file), _sources(project_file, data), out)
        return shared.kept(
            "provenance",
            lambda: replace(
                provenance(load_project(shared.project_file), shared.project_file, shared.sources),
                kept=_kept_plan(shared),
            ),
        )


def read_once(project_file: Path, sources: Sources, out: str, records: ProjectData) -> None:
    """Keep what a run has read for its notebooks, so that they need not read it again."""
    Shared(project_file, sources, out).kept("records", lambda: records)


@dataclass(frozen=True, slots=True)
class Shared:
    """What one run's notebooks share: a project, its data, and the private folder of the run, if there is one."""

    project_file: Path
    sources: Sources
    out: str

    def kept(self, name: str, make: Callable[[], T]) -> T:
        """Return what was kept under a name for the same project and data; make and keep it where nothing was."""
        return _kept(self._path(name), make)

    def _path(self, name: str) -> Path | None:
        private = Path(self.out) / PRIVATE if self.out else None
        if private is None or not private.is_dir() or private.is_symlink():
            return None
        beside = sorted(self.project_file.parent.iterdir())  # participants and claims may be changed by hand
        text = self.project_file.read_text(encoding="utf-8")
        return private / _file_name(name, text, (*self.sources.files(), *beside))


def kept_for_all(sources: Sources) -> Keep:
    """Return how the projects of one command share what they read of the same files for the same wants.

    They share where `EVALKIT_READ_ONCE` names a private folder, which the command makes and removes.
    """
    given = os.environ.get(READ_ONCE, "")
    folder = Path(given) if given else None

    def keep(wanted: DataRequest, read: Callable[[], Tables]) -> Tables:
        if folder is None or not folder.is_dir() or folder.is_symlink():
            return read()
        return _kept(folder / _file_name("tables", repr(wanted), sources.files()), read)

    return keep


def _kept(path: Path | None, make: Callable[[], T]) -> T:
    """Return what stands in a file, else make it and keep it there; without a file it is made."""
    if path is None:
        return make()
    if path.exists():
        # The file is this command's own: it lies in a private folder of it and nothing else is read from there.
        found: T = pickle.loads(path.read_bytes())
        return found
    made = make()
    write_whole(path, pickle.dumps(made))
    return made


def _file_name(name: str, text: str, files: Iterable[Path]) -> str:
    """Return a file name that is another one for another text, or files of another size or time."""
    stamps = [(str(file), (stat := file.stat()).st_size, stat.st_mtime_ns) for file in files if file.is_file()]
    return f"{name}-{hashlib.sha256(json.dumps([text, stamps]).encode()).hexdigest()[:16]}.pickle"


def synthetic_folder() -> Path:
    """Return the folder with the synthetic England, making it in data/processed where it is not there yet."""
    folder = synthetic_place()
    if folder.is_dir():
        return folder
    from evalkit.data.synthetic import DEFAULT_SEED, write_synthetic_england

    print(f"Making the synthetic England in {folder} (once, from seed {DEFAULT_SEED}) ...", file=sys.stderr, flush=True)
    with environment_faults("making the synthetic England"), folder_to_be(folder) as made:
        write_synthetic_england(made, seed=DEFAULT_SEED)
    return folder


def no_files_folder() -> Path:
    """Return the folder that stands for published files where a project reads none, making it where it is not there."""
    from evalkit.data.published.sources import NONE_MARK

    folder = no_files_place()
    if not (folder / NONE_MARK).is_file():
        with environment_faults(f"making {folder}"):
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(folder / NONE_MARK, b'{"kind": "none"}\n')
    return folder


def _sources(project_file: str, data: str) -> Sources:
    from evalkit.data.published.sources import find_sources
    from evalkit.data.store.in_use import use_store

    if data:
        use_store(default_store())
        return find_sources(Path(data))
    return find_sources(synthetic_folder() if reads_published(Path(project_file)) else no_files_folder())


def _design_once(shared: Shared) -> ProjectDesign:
    return shared.kept("design", lambda: _design(shared.project_file, shared.sources))


def _design(path: Path, sources: Sources) -> ProjectDesign:
    from evalkit.data.published.project_data import read_baseline
    from evalkit.run.kinds.registry import design_project
    from evalkit.run.project.chosen_data import telling_of_missing_data
    from evalkit.run.project.project_file import load_project

    project = load_project(path)
    with telling_of_missing_data(sources):
        baseline = read_baseline(project, path.parent, sources, kept_for_all(sources))
    return design_project(project, baseline)


def _evaluate(shared: Shared) -> Evaluation:
    from evalkit.data.published.project_data import read_records
    from evalkit.run.kinds.registry import evaluate_project, judged_on_scales
    from evalkit.run.project.project_file import claims_of

    design = _design_once(shared)
    _refuse_changed(design, Path(shared.out) / DESIGN if shared.out else None)
    project, folder = design.project, shared.project_file.parent
    records = shared.kept(
        "records", lambda: read_records(project, folder, shared.sources, kept_for_all(shared.sources))
    )
    found = evaluate_project(design, records, claims_of(project, folder))
    kept = _kept_plan(shared)
    return found if kept.lock is None else judged_on_scales(replace(found, kept=kept))


def _kept_plan(shared: Shared) -> PlanKept:
    """Return whether the plan of a project was locked, and what differs from it; found once in a run."""
    from evalkit.run.plan.kept import plan_kept

    design = _design_once(shared)
    return shared.kept("plan", lambda: plan_kept(design.project, shared.project_file, shared.sources, design))


def _refuse_changed(design: ProjectDesign, kept: Path | None) -> None:
    if kept is not None and kept.exists() and kept.read_text(encoding="utf-8") != design.to_json():
        raise DesignError(
            f"The design changed after it was locked in {kept.name}: the matches made now differ. "
            "Outcomes are read for one design only; run the project from the start."
        )
