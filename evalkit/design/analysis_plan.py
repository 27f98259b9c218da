"""What every analysis of a project decides before outcomes are read, whatever its kind, and all of them together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

from evalkit.core.manifest import DataKind
from evalkit.core.project import Analysis, Project
from evalkit.core.shown import Shown
from evalkit.data.flow import Flow
from evalkit.data.subgroups import PeopleOf, Subgroup

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class AnalysisPlan(Shown):
    """Who is compared with whom in one analysis, made from what was known before the programme.

    Attributes
    ----------
    analysis : its name, its kind and what the project file says of it
    project : the project as this analysis sees it: its outcomes, and its own choices in the place of the project's
    label : the kind in words for readers: `areas compared with their neighbours`
    details : the kind's own plan
    record : what is locked, as plain data; no byte of it may depend on an outcome after the start
    shown_by : the module of `evalkit.report` that shows this kind
    subgroups : the same analysis planned for each subgroup that `by` names
    participants : those listed, those of them without results, by reason, and those left; None where another table says
    """

    analysis: Analysis
    project: Project
    label: str
    details: object
    record: Mapping[str, object]
    shown_by: str = ""
    subgroups: tuple[SubgroupPlan, ...] = ()
    participants: Flow | None = None


D = TypeVar("D")


class HasDetails(Protocol):
    """A plan or results, whose `details` are a noun of its kind's own."""

    @property
    def details(self) -> object:
        """The kind's own noun."""
        ...


def details_of(holder: HasDetails, kind: type[D]) -> D:
    """Return what a kind keeps of its own in a plan or in results, as the class that the kind has put there.

    >>> from types import SimpleNamespace
    >>> details_of(SimpleNamespace(details=(2016, 2017)), tuple)
    (2016, 2017)
    """
    found = holder.details
    assert isinstance(found, kind)
    return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SubgroupPlan:
    """The plan of an analysis for one subgroup.

    Attributes
    ----------
    subgroup : which subgroup
    plan : who is compared with whom in it
    common : the same of the schools with results of every subgroup; None where schools are of one subgroup each
    kept : the schools of the subgroup by key stage; None where it is of pupils, in all schools
    people : the pupils of the subgroup in an own table of pupils; None elsewhere
    """

    subgroup: Subgroup
    plan: AnalysisPlan
    common: AnalysisPlan | None = None
    kept: Mapping[str, pd.Index] | None = None
    people: PeopleOf | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ProjectDesign(Shown):
    """The plans of all analyses of a project, in the order of its file."""

    project: Project
    data_kind: DataKind
    plans: tuple[AnalysisPlan, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def primary(self) -> AnalysisPlan:
        """Return the plan of the analysis that the headline is of."""
        return self.plan(self.project.primary_analysis.name)

    def plan(self, name: str) -> AnalysisPlan:
        """Return the plan of the analysis of that name."""
        return next(plan for plan in self.plans if plan.analysis.name == name)

    def to_json(self) -> str:
        """Return what is locked as text: the content of design.json."""
        plans = {plan.analysis.name: {"kind": plan.analysis.kind, **plan.record} for plan in self.plans}
        content = {"schema_version": 2, "project": self.project.slug, "analyses": plans}
        return json.dumps(content, indent=1) + "\n"
