"""What a lock freezes of a project: its file, pool and sample, code, versions and data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import evalkit
from evalkit.core.manifest import DataKind
from evalkit.core.project import Project
from evalkit.data.lock_file import PLAN_LOCK
from evalkit.run.outputs.hashes import Hashes
from evalkit.run.outputs.manifest import commit, input_files, numerics, versions
from evalkit.run.project.project_file import project_data
from evalkit.run.project.workspace import SOURCE_ROOT

if TYPE_CHECKING:
    from evalkit.data.published.sources import Sources
    from evalkit.design.analysis_plan import ProjectDesign


def frozen(project: Project, project_file: Path, sources: Sources, design: ProjectDesign) -> dict[str, Any]:
    """Return what is frozen, as plain data.

    Files of data are known by the SHA-256 of their bytes: those with outcomes are hashed, and no cell of them is read.
    """
    return {
        "data_kind": _kind(design),
        "parameters": _parameters(project),
        "design": json.loads(design.to_json())["analyses"],
        "code": {"commit": commit(SOURCE_ROOT), "sha256": Hashes().of_tree(Path(evalkit.__file__).parent)},
        "versions": versions(),
        "numerics": numerics(),
        "inputs": inputs_of(project, project_file, sources),
    }


def inputs_of(project: Project, project_file: Path, sources: Sources) -> dict[str, str]:
    """Return the SHA-256 of every file that a run reads but the lock itself and the project file.

    What the project file says is frozen field by field: another blank or comment in it is no deviation.
    """
    own = {f"project/{PLAN_LOCK}", f"project/{project_file.name}"}
    return {one.path: one.sha256 for one in input_files(project, project_file, sources) if one.path not in own}


def _kind(design: ProjectDesign) -> DataKind:
    return design.data_kind


def _parameters(project: Project) -> Mapping[str, object]:
    """Return the project as plain data; reasons for deviations come after the lock and are no part of the plan."""
    found = project_data(project)
    return {**found, "plan": {"required": project.plan.required}}
