"""Projects with some choices, files or data of one run and the others of another, evaluated without reports."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evalkit.core.errors import EvalkitError, InputError
from evalkit.core.manifest import MEASURES_FILE
from evalkit.core.words import listed
from evalkit.run.project.plain_yaml import PlainYaml
from evalkit.run.review.blocks import Block, mixed
from evalkit.run.review.finished import FinishedRun
from evalkit.run.review.materials import FoundFile, Materials, lay_out_files
from evalkit.run.review.shares import Set

if TYPE_CHECKING:
    from evalkit.core.project import Project
    from evalkit.data.published.project_data import DataRequest, ProjectData, Tables
    from evalkit.data.published.sources import Sources
    from evalkit.design.analysis_plan import AnalysisPlan
    from evalkit.estimate.effect import Effect

Key = tuple[str, str]
"""An analysis and an outcome."""
NUMBERS: Final = ("estimate", "lower", "upper", "p_value")
_SAID_BESIDE: Final[Mapping[str, object]] = {"claims": None, "reference_document": None, "notebooks": []}
"""What of a project names files on which no number depends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The estimate of an effect, the ends of its interval and its p-value; None where one is not given."""

    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    p_value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of two runs, with its files as they are found now."""

    run: FinishedRun
    found: Materials

    def lacks(self, block: Block) -> tuple[str, ...]:
        """Return the files of a block that are not there as the run read them."""
        return tuple(one.path for one in self._files(block) if not one.is_same)

    def own_files(self, block: Block) -> tuple[FoundFile, ...]:
        """Return the files of a block that lie in the project's folder."""
        return tuple(one for one in self._files(block) if one.path.startswith("project/"))

    def _files(self, block: Block) -> tuple[FoundFile, ...]:
        return tuple(one for one in self.found.files if file_block(one.path, self.run.parameters) == block)


def file_block(path: str, parameters: Mapping[str, Any]) -> Block:
    """Return the block of a file that a run read, by its path in the manifest."""
    prefix, _, name = path.partition("/")
    if prefix == "data":
        return "data"
    data = parameters.get("data") or {}
    tables = [one.get("file") for one in (data.get("tables") or {}).values()]
    if name == (parameters.get("participants") or {}).get("file"):
        return "sample"
    if name in (*tables, data.get("borders")):
        return "data"
    return "outcome and years" if name == MEASURES_FILE else "words"


@dataclass(slots=True, kw_only=True)
class Crosser:
    """Evaluates crossings of two runs, each once; `fixed` are blocks that only one of the two has files of.

    A crossing is the set of blocks that come from B.
    """

    a: Side
    b: Side
    scratch: Path
    wanted: Collection[Key]
    fixed: Mapping[Block, str] = field(default_factory=dict)
    say: Callable[[str], None] = lambda text: None
    _known: dict[Set, dict[Key, Numbers] | str] = field(default_factory=dict)
    _tables: dict[tuple[Path, str], Tables] = field(default_factory=dict)

    def values(self, of_b: Set) -> dict[Key, Numbers] | str:
        """Return the effects that a crossing gives, or why it cannot be evaluated."""
        if of_b not in self._known:
            self.say(f"with {listed(sorted(of_b))} of B" if of_b else "as A")
            try:
                self._known[of_b] = self._evaluated(of_b)
            except EvalkitError as problem:
                self._known[of_b] = str(problem)
        return self._known[of_b]

    def _side(self, block: Block, of_b: Set) -> Side:
        return self.b if self.fixed.get(block, "b" if block in of_b else "a") == "b" else self.a

    def _evaluated(self, of_b: Set) -> dict[Key, Numbers]:
        from evalkit.run.project.project_file import project_of

        taken = frozenset({*of_b, *(block for block, side in self.fixed.items() if side == "b")})
        kept = taken - {block for block, side in self.fixed.items() if side == "a"}
        parameters = {**mixed(self.a.run.parameters, self.b.run.parameters, kept), **_SAID_BESIDE}
        folder = self.scratch / f"crossing-{len(self._known)}"
        folder.mkdir()
        for block in ("data", "sample", "outcome and years"):
            for one in self._side(block, of_b).own_files(block):
                if one.place is not None:
                    shutil.copyfile(one.place, folder / one.path.removeprefix("project/"))
        project = project_of(PlainYaml(parameters, {}, "the crossed project"), folder)
        return self._effects(project, folder, self._sources(self._side("data", of_b)))

    def _sources(self, side: Side) -> Sources:
        from evalkit.data.published.sources import find_sources, no_sources

        place = self.scratch / ("data-b" if side is self.b else "data-a")
        if not place.is_dir():
            place.mkdir()
            lay_out_files(side.found.data, place)
        return find_sources(place) if side.found.data else no_sources(place)

    def _effects(self, project: Project, folder: Path, sources: Sources) -> dict[Key, Numbers]:
        from evalkit.data.published.project_data import read_baseline, read_records
        from evalkit.run.kinds.registry import design_project

        def keep(wanted: DataRequest, read: Callable[[], Tables]) -> Tables:
            key = (sources.folder, repr(wanted))
            if key not in self._tables:
                self._tables[key] = read()
            return self._tables[key]

        design = design_project(project, read_baseline(project, folder, sources, keep))
        records = read_records(project, folder, sources, keep)
        return {key: numbers for plan in design.plans for key, numbers in self._of_plan(plan, records).items()}

    def _of_plan(self, plan: AnalysisPlan, records: ProjectData) -> dict[Key, Numbers]:
        """Return the effects by which an analysis is quoted; all of it is estimated where a short way lacks one."""
        from evalkit.run.kinds.registry import EstimateRequest, kind_of

        name, kind = plan.analysis.name, kind_of(plan.analysis.kind)
        wanted = {outcome for analysis, outcome in self.wanted if analysis == name}
        found: dict[str, Effect] = {}
        for is_brief in (True, False):
            effects = kind.estimate(EstimateRequest(plan=plan, intake=records, is_brief=is_brief)).effects
            found = {one.outcome: one for one in effects if one.is_main}
            if wanted <= found.keys():
                break
        return {(name, outcome): numbers_of(one) for outcome, one in found.items()}


def numbers_of(effect: Effect) -> Numbers:
    """Return the numbers of an effect by which it is compared."""
    from evalkit.core.quantities import Interval

    def given(value: object) -> float | None:
        return float(value) if isinstance(value, int | float) else None

    interval = effect.interval
    ends = (interval.lower, interval.upper) if isinstance(interval, Interval) else (None, None)
    return Numbers(estimate=given(effect.estimate), lower=ends[0], upper=ends[1], p_value=given(effect.p_value))


def fixed_blocks(a: Side, b: Side) -> dict[Block, str]:
    """Return the blocks whose files are there as one of two runs read them and not as the other did, and of which.

    Raises
    ------
    InputError
        If a block's files are there as neither run read them.
    """
    fixed: dict[Block, str] = {}
    blocks: tuple[Block, ...] = ("data", "sample", "outcome and years")
    for block in blocks:
        of_a, of_b = a.lacks(block), b.lacks(block)
        if of_a and of_b:
            raise InputError(
                f"Neither run's files are there as it read them: {listed(sorted({*of_a, *of_b}))}. Give the "
                "folder that holds the published files with --data DIR; they are found by their SHA-256."
            )
        if of_a or of_b:
            fixed[block] = "b" if of_a else "a"
    return fixed
