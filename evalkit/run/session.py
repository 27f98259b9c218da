"""What a notebook calls: the design without any follow-up outcome, and then the evaluation."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evalkit.core.errors import DesignError
from evalkit.run.faults import environment_faults
from evalkit.run.outputs import PRIVATE
from evalkit.run.workspace import writable_root

if TYPE_CHECKING:
    from evalkit.data.sources import Sources
    from evalkit.design.plan import LockedDesign
    from evalkit.design.stage import DesignStage
    from evalkit.diagnose.evaluation import Evaluation

DESIGN: Final = "design.json"


def open_design(project_file: str, data: str = "", out: str = "") -> DesignStage:
    """Return the design of a project, made from what was known before the programme.

    `data` is the folder of published files, "" the synthetic England; the matches are locked in
    `out`/design.json, unless `out` is "".
    """
    with environment_faults("designing the comparison"):
        locked, stage = _design(Path(project_file), _sources(data))
        if out:
            _write_whole(Path(out) / DESIGN, locked.to_json().encode("utf-8"))
    return stage


def open_evaluation(project_file: str, data: str = "", out: str = "") -> Evaluation:
    """Return all of a project's results; raise `DesignError` where the design is not the one locked in `out`."""
    with environment_faults("estimating"):
        path, sources = Path(project_file), _sources(data)
        cached = _cache_file(path, sources, out)
        if cached is not None and cached.exists():
            # The file is this run's own: it lies in its private folder and nothing else is read from there.
            evaluation: Evaluation = pickle.loads(cached.read_bytes())
            return evaluation
        evaluation = _evaluate(path, sources, out)
        if cached is not None:
            _write_whole(cached, pickle.dumps(evaluation))
    return evaluation


def synthetic_folder() -> Path:
    """Return the folder with the synthetic England, making it in data/processed where it is not there yet."""
    from evalkit.data.synthetic import DEFAULT_SEED, GENERATOR_VERSION, write_synthetic_england

    folder = writable_root() / "data" / "processed" / f"synthetic-{GENERATOR_VERSION}-{DEFAULT_SEED}"
    if folder.is_dir():
        return folder
    print(f"Making the synthetic England in {folder} (once, from seed {DEFAULT_SEED}) ...", file=sys.stderr, flush=True)
    with environment_faults("making the synthetic England"):
        part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
        shutil.rmtree(part, ignore_errors=True)
        try:
            part.mkdir(parents=True)
            write_synthetic_england(part, seed=DEFAULT_SEED)
            try:
                part.rename(folder)
            except OSError:
                if not folder.is_dir():  # otherwise another run has just made it
                    raise
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return folder


def _sources(data: str) -> Sources:
    from evalkit.data.sources import find_sources

    return find_sources(Path(data) if data else synthetic_folder())


def _design(path: Path, sources: Sources) -> tuple[LockedDesign, DesignStage]:
    from evalkit.data.intake import read_baseline
    from evalkit.design.plan import make_design
    from evalkit.diagnose.describe import describe_design
    from evalkit.run.project_file import load_project

    project = load_project(path)
    baseline = read_baseline(project, path.parent, sources)
    locked = make_design(project, baseline)
    return locked, describe_design(project, baseline, locked)


def _evaluate(path: Path, sources: Sources, out: str) -> Evaluation:
    from evalkit.data.intake import read_records
    from evalkit.diagnose.evaluate import evaluate
    from evalkit.run.project_file import claims_of

    locked, stage = _design(path, sources)
    _refuse_changed(locked, Path(out) / DESIGN if out else None)
    project = locked.project
    records = read_records(project, path.parent, sources)
    return evaluate(project, records, locked, stage, claims_of(project, path.parent))


def _refuse_changed(locked: LockedDesign, kept: Path | None) -> None:
    if kept is not None and kept.exists() and kept.read_text(encoding="utf-8") != locked.to_json():
        raise DesignError(
            f"The design changed after it was locked in {kept.name}: the matches made now differ. "
            "Outcomes are read for one design only; run the project from the start."
        )


def _cache_file(path: Path, sources: Sources, out: str) -> Path | None:
    """Return where one run's notebooks share the evaluation; None outside of a run."""
    private = Path(out) / PRIVATE if out else None
    if private is None or not private.is_dir() or private.is_symlink():
        return None
    stamps = [(str(file), (stat := file.stat()).st_size, stat.st_mtime_ns) for file in sources.files() if file.exists()]
    key = hashlib.sha256(json.dumps([path.read_text(encoding="utf-8"), stamps]).encode()).hexdigest()
    return private / f"evaluation-{key[:16]}.pickle"


def _write_whole(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
