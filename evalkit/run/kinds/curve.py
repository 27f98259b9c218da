"""The specification curve that a project declares: every combination of its choices, estimated and judged together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import Any, Final

from evalkit.core.draws import SERIAL, Executor
from evalkit.core.errors import DesignError
from evalkit.core.project import Project
from evalkit.core.quantities import Unavailable
from evalkit.core.words import listed
from evalkit.data.published.project_data import ProjectData
from evalkit.diagnose.curve.specification_curve import (
    AskedSpecification,
    CurveQuestion,
    SpecificationCurve,
    specification_curve,
)
from evalkit.estimate.areas.sets import SLOW_CHUNK
from evalkit.estimate.areas.together import PlacedStatistic, TogetherOptions
from evalkit.run.kinds.registry import Kind, PlacedRequest, Variation, VariedRequest, kind_of, plan_of
from evalkit.run.kinds.variations import choices_of, curve_outcome, variations

_SETS: Final = 2_000
_SETS_MATCHED: Final = 400
"""Sets drawn for a curve: fewer where each is matched anew, as all specifications are."""
_NOT_PLACED: Final = Unavailable("An analysis of this kind has no placebo areas or sets that it could be placed among.")


def curve_of(project: Project, intake: ProjectData, executor: Executor = SERIAL) -> SpecificationCurve | None:
    """Return the specification curve of a project, None where it declares no choices.

    `intake` holds every year; each plan sees only those before the programme.
    """
    choices = project.choices
    if choices is None:
        return None
    every = variations(project, choices)
    code = curve_outcome(project, choices)
    placed = [
        found for kind, group in groupby(every, _kind) for found in _placed(kind, [*group], code, intake, executor)
    ]
    question = CurveQuestion(
        outcome=code,
        choices={one.name: tuple(map(_words, one.options)) for one in choices_of(project, choices)},
        together=TogetherOptions(level=project.inference.level, seed=project.seed),
    )
    asked = [
        AskedSpecification(analysis=one.analysis.name, options=one.options, is_locked=one.is_locked) for one in every
    ]
    return specification_curve(question, asked, placed, executor)


def _kind(variation: Variation) -> str:
    return variation.analysis.kind


def _placed(
    name: str, every: Sequence[Variation], code: str, intake: ProjectData, executor: Executor
) -> Iterator[PlacedStatistic | Unavailable]:
    kind = kind_of(name)
    request = VariedRequest(variations=every, outcome=code, intake=intake, executor=executor)
    if kind.varied is not None:
        found = kind.varied(request)
    elif kind.placed is None:
        found = iter([_NOT_PLACED] * len(every))
    else:
        found = iter(executor.map(partial(_one, code, intake), every))
    for one in found:
        yield one if isinstance(one, Unavailable) or one.pool is None else replace(one, n_sets=_n_sets(one))


def _n_sets(placed: PlacedStatistic) -> int:
    return _SETS_MATCHED if placed.chunk == SLOW_CHUNK else _SETS


def _one(code: str, intake: ProjectData, variation: Variation) -> PlacedStatistic | Unavailable:
    """Return the statistic of one specification, its plan made anew; or why there is none."""
    kind: Kind = kind_of(variation.analysis.kind)
    told = next(iter(kind.complaints(variation.project, variation.analysis)), None)
    if told is not None or kind.placed is None:
        return _NOT_PLACED if told is None else Unavailable(f"These choices do not go together: {told.text}.")
    try:
        plan = plan_of(variation.project, variation.analysis, intake)
        return kind.placed(PlacedRequest(plan=plan, outcome=code, intake=intake))
    except DesignError as problem:
        return Unavailable(str(problem))


def _words(option: Any) -> str:
    """Return an option as it stands in the ledger."""
    if isinstance(option, bool):
        return "yes" if option else "no"
    if isinstance(option, tuple | list):
        return listed([*map(_words, option)], 20) if option else "none"
    if option is None:
        return "as usual"
    return f"{option:g}" if isinstance(option, float) else str(option).replace("_", " ")
