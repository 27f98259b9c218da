"""The estimates of one effect under every defensible combination of choices, and whether all could be chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evalkit.core.arrays import Floats
from evalkit.core.draws import SERIAL, Executor
from evalkit.core.quantities import ROUNDING, Quantity, Unavailable
from evalkit.diagnose.curve.joint_test_arrays import contribution, first_alike, joint_test, own_ranks
from evalkit.estimate.areas.together import NO_SPREAD, PlacedStatistic, Together, TogetherOptions, place_together

MOST_BY_SETS = 2_000
"""Specifications that can be placed among sets of schools: each keeps its schools in memory."""
_NO_EFFECT = Unavailable("The treated have no effect by these choices.")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AskedSpecification:
    """Choices of one specification: its analysis, the option of each choice (−1: none of its), if it is locked."""

    analysis: str
    options: tuple[int, ...]
    is_locked: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Specification:
    """One specification of a curve.

    Attributes
    ----------
    number : its place in the ledger, from 1
    analysis : the analysis whose estimate it is
    options : the option taken of every choice in words, empty where the choice is none of this analysis
    estimate : in units of the outcome, less what sets like the list gain where sets are; or why there is none
    statistic : the estimate over its standard deviation among areas or sets, z
    p_value : by its own rank
    is_locked : whether these are the choices of the project file
    same_as : number of the first specification that gives the same in every area or set, its own where it is that
    """

    number: int
    analysis: str
    options: tuple[str, ...]
    estimate: Quantity
    statistic: Quantity
    p_value: Quantity
    is_locked: bool
    same_as: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OptionShare:
    """What an option of a choice does: mean z with it less the mean of all; the share of variance of the choice."""

    choice: str
    option: str
    n: int
    move: Quantity
    share: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpecificationCurve:
    """Every specification of one effect, and the joint test of all.

    Attributes
    ----------
    outcome : its code
    choices : names of the choices, in the order of the file
    specifications : the ledger, in the order of the crossing
    median : median z of the treated over the specifications with an estimate
    p_value : share of areas or sets, the treated counted, whose median is as far from zero: it alone decides
    share_of_sign : share of specifications with the sign of the locked one
    share_unlikely : share of specifications with a p-value of their own of at most `alpha`
    n_areas, n_sets : J, the treated counted, with every specification; sets drawn, 0 where areas stand for themselves
    alpha : one less the level of the project
    contributions : what each option does
    """

    outcome: str
    choices: tuple[str, ...]
    specifications: tuple[Specification, ...]
    median: Quantity
    p_value: Quantity
    share_of_sign: Quantity
    share_unlikely: Quantity
    n_areas: int
    n_sets: int
    alpha: float
    contributions: tuple[OptionShare, ...] = ()

    @property
    def estimated(self) -> tuple[Specification, ...]:
        """Return the specifications with an estimate."""
        return tuple(one for one in self.specifications if not isinstance(one.statistic, Unavailable))

    @property
    def n_failed(self) -> int:
        """Return how many specifications have no estimate."""
        return len(self.specifications) - len(self.estimated)

    @property
    def n_alike(self) -> int:
        """Return how many specifications give in every area or set what an earlier one gives."""
        return sum(one.same_as != one.number for one in self.specifications)

    @property
    def locked(self) -> Specification:
        """Return the specification that the project file chose."""
        return next(one for one in self.specifications if one.is_locked)


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveQuestion:
    """What a curve is of: the outcome, and each choice with its options in words."""

    outcome: str
    choices: dict[str, tuple[str, ...]]
    together: TogetherOptions


def specification_curve(
    question: CurveQuestion,
    asked: Sequence[AskedSpecification],
    placed: Sequence[PlacedStatistic | Unavailable],
    executor: Executor = SERIAL,
) -> SpecificationCurve:
    """Return the specification curve of an effect with its joint test.

    The effect of every specification s is found for the treated and for every area (or set) j without a programme,
    z_sj = T_sj / SD of T_sj over all J; the median over s is placed among theirs. One statistic, the median, decides
    (Simonsohn, Simmons and Nelson, 2020, with areas permuted in the place of shuffled data).

    Parameters
    ----------
    question : CurveQuestion
    asked : S specifications
    placed : their statistics in the same order, or why one has none
    executor : who carries out the sets
    """
    own = [_usable(one) for one in placed]
    known = [at for at, one in enumerate(own) if isinstance(one, PlacedStatistic)]
    statistics = [one for one in own if isinstance(one, PlacedStatistic)]
    reasons = {at: one for at, one in enumerate(own) if isinstance(one, Unavailable)}
    together = _together(statistics, question.together, executor)
    if isinstance(together, Unavailable):
        reasons |= dict.fromkeys(known, together)
        return _without(question, asked, reasons, together)
    spread = together.spread()
    values, observed = together.less_expected()
    size = np.abs(np.vstack([together.values, together.observed])).max(axis=0)
    varies = spread > ROUNDING * np.maximum(size, 1e-300)
    reasons |= {known[at]: NO_SPREAD for at in np.flatnonzero(~varies)}
    kept = np.flatnonzero(varies)
    if not len(kept):
        return _without(question, asked, reasons, NO_SPREAD)
    found = _Found(
        at=[known[column] for column in kept],
        estimates=observed[kept],
        z=observed[kept] / spread[kept],
        others=values[:, kept] / spread[kept],
        weights=together.weights,
        alike=first_alike(np.vstack([observed[kept], values[:, kept]])),
    )
    return _curve(question, asked, found, reasons, together)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Found:
    """Of the specifications with an estimate, by their places `at`: estimates, z, z of the others (D × S)."""

    at: list[int]
    estimates: Floats
    z: Floats
    others: Floats
    weights: Floats
    alike: np.ndarray


def _usable(placed: PlacedStatistic | Unavailable) -> PlacedStatistic | Unavailable:
    """Return a statistic that the treated have, or why they have none."""
    if isinstance(placed, Unavailable) or placed.areas is None or placed.areas.position(placed.group) >= 0:
        return placed
    return _NO_EFFECT


def _together(
    statistics: Sequence[PlacedStatistic], options: TogetherOptions, executor: Executor
) -> Together | Unavailable:
    if not statistics:
        return Unavailable("No specification has an estimate.")
    if len(statistics) > MOST_BY_SETS and any(one.pool is not None for one in statistics):
        return Unavailable(
            f"{len(statistics):,} specifications are more than the {MOST_BY_SETS:,} that can be placed among sets of "
            "schools. Vary less."
        )
    return place_together(statistics, options, executor)


def _curve(
    question: CurveQuestion,
    asked: Sequence[AskedSpecification],
    found: _Found,
    reasons: dict[int, Unavailable],
    together: Together,
) -> SpecificationCurve:
    test, alpha = joint_test(found.z, found.others, found.weights), round(1 - question.together.level, 12)
    ranks = own_ranks(found.z, found.others, found.weights)
    ledger = _ledger(question, asked, found, ranks, reasons)
    locked = next(one for one in ledger if one.is_locked).estimate
    share: Quantity = Unavailable("The locked choices give no estimate, whose sign could be compared.")
    if isinstance(locked, float):
        share = float((np.sign(found.estimates) == np.sign(locked)).mean())
    return SpecificationCurve(
        outcome=question.outcome,
        choices=tuple(question.choices),
        specifications=ledger,
        median=test.median,
        p_value=test.p_value,
        share_of_sign=share,
        share_unlikely=float((ranks <= alpha + ROUNDING).mean()),
        n_areas=together.n_areas,
        n_sets=together.n_sets,
        alpha=alpha,
        contributions=_contributions(question, asked, found),
    )


def _ledger(
    question: CurveQuestion,
    asked: Sequence[AskedSpecification],
    found: _Found,
    ranks: Floats,
    reasons: dict[int, Unavailable],
) -> tuple[Specification, ...]:
    place = {at: column for column, at in enumerate(found.at)}
    made = []
    for at, one in enumerate(asked):
        column, none = place.get(at), reasons.get(at)
        first = -1 if column is None else int(found.alike[column])
        made.append(
            Specification(
                number=at + 1,
                analysis=one.analysis,
                options=_words(question, one),
                estimate=none if none is not None else float(found.estimates[column]),
                statistic=none if none is not None else float(found.z[column]),
                p_value=none if none is not None else float(ranks[column]),
                is_locked=one.is_locked,
                same_as=at + 1 if column is None else found.at[first] + 1,
            )
        )
    return tuple(made)


def _words(question: CurveQuestion, one: AskedSpecification) -> tuple[str, ...]:
    every = question.choices.values()
    return tuple("" if at < 0 else options[at] for at, options in zip(one.options, every, strict=True))


def _without(
    question: CurveQuestion,
    asked: Sequence[AskedSpecification],
    reasons: dict[int, Unavailable],
    why: Unavailable,
) -> SpecificationCurve:
    empty = np.empty(0)
    none = _Found(at=[], estimates=empty, z=empty, others=empty, weights=empty, alike=empty)
    return SpecificationCurve(
        outcome=question.outcome,
        choices=tuple(question.choices),
        specifications=_ledger(question, asked, none, empty, reasons),
        median=why,
        p_value=why,
        share_of_sign=why,
        share_unlikely=why,
        n_areas=0,
        n_sets=0,
        alpha=round(1 - question.together.level, 12),
    )


def _contributions(
    question: CurveQuestion, asked: Sequence[AskedSpecification], found: _Found
) -> tuple[OptionShare, ...]:
    """Return what each option does, the analyses first where there are several."""
    analyses = tuple(dict.fromkeys(one.analysis for one in asked))
    taken = {"analysis": (analyses, [analyses.index(asked[at].analysis) for at in found.at])} if analyses[1:] else {}
    taken |= {
        name: (options, [asked[at].options[number] for at in found.at])
        for number, (name, options) in enumerate(question.choices.items())
    }
    made = []
    for name, (options, which) in taken.items():
        each = contribution(found.z, np.array(which, dtype=np.int64), len(options))
        for option, move, n in zip(options, each.moves, each.n, strict=True):
            moved = float(move) if n else Unavailable("No specification with it has an estimate.")
            made.append(OptionShare(choice=name, option=option, n=int(n), move=moved, share=each.share))
    return tuple(made)
