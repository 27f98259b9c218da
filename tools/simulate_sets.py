"""Size and coverage of randomisation over sets, as a table in Markdown.

    python tools/simulate_sets.py [DRAWS] [CASE ...]

prints what `docs/methods/randomisation-over-sets.md` holds under "Simulation". Areas have shocks of their own, schools
errors; who is listed is drawn at random, or the lowest by a noisy level before the programme. There is no effect: one
moves estimate and interval alike, and nothing else.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import chain

import numpy as np

from evalkit.core.quantities import Interval
from evalkit.design.project.set_rule import SetRule
from evalkit.estimate.areas.set_draws import SetOptions, SetPool
from evalkit.estimate.areas.sets import ChangeGaps, SetsInference, set_statistics
from evalkit.estimate.areas.sets_arrays import compared_means

N_AREAS, NEIGHBOURS = 149, 10
OUTCOMES = 5
AREA_SD, SCHOOL_SD = 0.43, 2.2
"""Of changes over areas and over the schools of one, as of reading in England."""


@dataclass(frozen=True)
class England:
    """Schools in areas, each area with ten neighbours; sizes as uneven as those of authorities."""

    area: np.ndarray
    compared: np.ndarray

    @classmethod
    def drawn(cls, random: np.random.Generator, n: int) -> England:
        """Return an England of `n` areas."""
        sizes = np.clip(np.round(np.exp(random.normal(4.1, 0.75, n))), 6, 400).astype(int)
        near = np.zeros((n, n), dtype=bool)
        for row in range(n):
            near[row, random.choice(np.delete(np.arange(n), row), NEIGHBOURS, replace=False)] = True
        return cls(np.repeat(np.arange(n), sizes), near)


@dataclass(frozen=True)
class Case:
    """So many listed schools in each of so many areas; the spread of schools may fall with the size of their area."""

    n_listed: int
    n_areas: int
    is_by_size: bool = False
    is_low: bool = False
    rule: SetRule = "simple"
    of: int = N_AREAS

    @property
    def label(self) -> str:
        """Return the case in words."""
        where = "one area" if self.n_areas == 1 else f"each of {self.n_areas} areas"
        where += "" if self.of == N_AREAS else f" of {self.of}"
        low = ", the lowest by a noisy level" if self.is_low else ""
        errors = ", areas' shocks larger in small ones" if self.is_by_size else ""
        return f"{self.n_listed} in {where}{low}{errors}; sets {self.rule}"


CASES = (
    *(Case(n, 1) for n in (5, 26, 49)),
    *(Case(6, areas) for areas in (1, 3, 8)),
    Case(6, 20, of=161),  # of 149 there are fewer than seven others for each, and nothing is given
    *(Case(n, 1, is_by_size=True) for n in (5, 26, 49)),
    *(Case(6, areas, is_by_size=True) for areas in (3, 8)),
    *(Case(n, 1, is_low=True, rule=rule) for n in (5, 26) for rule in ("simple", "like")),
)


def outcomes(
    random: np.random.Generator, england: England, case: Case, n_columns: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return levels before and changes of schools, shape (n, n_columns) each: outcomes drawn anew in each column."""
    area, n = england.area, np.bincount(england.area)
    scale = AREA_SD * np.sqrt(n.mean() / n if case.is_by_size else np.ones(case.of))
    ability = random.normal(size=(len(area), n_columns)) * SCHOOL_SD
    noise = random.normal(size=(2, len(area), n_columns)) * SCHOOL_SD / np.sqrt(2)
    shocks = random.normal(size=(case.of, n_columns)) * scale[:, None]
    return ability + noise[0], noise[1] - noise[0] + shocks[area]


def one_list(
    random: np.random.Generator, england: England, case: Case, n_sets: int, n_columns: int
) -> list[SetsInference]:
    """Return what sets say of a list in areas drawn at random, under each of so many outcomes."""
    area, n, codes = england.area, np.bincount(england.area), np.arange(case.of)
    treated = random.choice(np.flatnonzero(n >= case.n_listed), case.n_areas, replace=False)
    level, change = outcomes(random, england, case, n_columns)
    listed = np.zeros(len(area), dtype=bool)
    for code in treated:
        own = np.flatnonzero(area == code)
        chosen = own[np.argsort(level[own, 0])] if case.is_low else random.permutation(own)
        listed[chosen[: case.n_listed]] = True
    compared = england.compared & ~np.isin(codes, treated)[None, :]
    means = compared_means(change, np.ones(len(area)), area, compared)
    pool = SetPool(
        ids=[f"{at:06d}" for at in range(len(area))],
        area=area,
        is_listed=listed,
        stand_ins=tuple(range(case.of)),
        level=level[:, 0],
    )
    statistic = ChangeGaps(values=change, weight=np.ones(len(area)), codes=codes, compared=means)
    options = SetOptions(rule=case.rule, n_sets=n_sets, draws_more=False, seed=int(random.integers(1 << 30)))
    found = set_statistics(statistic, pool, options)
    return [found.inference(column, options.level) for column in range(n_columns)]


@dataclass(frozen=True)
class Seen:
    """Over the draws of a case: shares rejected and covered, mean error, half-length, share withheld, areas."""

    size: float
    coverage: float
    bias: float
    half: float
    withheld: float
    n_areas: float


def simulated(case: Case, n_draws: int, seed: int = 13) -> Seen:
    """Return how often a true null is rejected and how often the interval covers it."""
    random = np.random.default_rng([seed, case.n_listed, case.n_areas, case.is_by_size, case.is_low])
    england, n_sets = England.drawn(random, case.of), 2_000 if case.n_areas == 1 else 399
    covered, rejected, errors, halves, areas = [], [], [], [], []
    # sets do not depend on outcomes unless the list does, so that many outcomes share the sets of a list
    n_columns = 1 if case.is_low else OUTCOMES
    lists = (one_list(random, england, case, n_sets, n_columns) for _ in range(n_draws // n_columns))
    for found in chain.from_iterable(lists):
        areas.append(found.n_areas)
        if isinstance(found.adjusted, float):
            errors.append(found.adjusted)
        if isinstance(found.interval, Interval):
            covered.append(0.0 in found.interval)
            halves.append((found.interval.upper - found.interval.lower) / 2)
        if isinstance(found.p_value, float):
            rejected.append(found.p_value <= 0.05)
    return Seen(
        size=float(np.mean(rejected)) if rejected else float("nan"),
        coverage=float(np.mean(covered)) if covered else float("nan"),
        bias=float(np.mean(errors)),
        half=float(np.median(halves)) if halves else float("nan"),
        withheld=1 - len(covered) / n_draws,
        n_areas=float(np.median(areas)),
    )


def percent(value: float) -> str:
    return "–" if np.isnan(value) else f"{100 * value:.1f}"


def main(n_draws: int, chosen: list[int]) -> None:
    """Print the table, or the rows of some cases by their number; fewer draws where lists are low or shocks uneven."""
    print("| listed | draws | rejects at 5 %, % | covers, % | mean error | half-length | withheld, % | areas J |")
    print("|---|---|---|---|---|---|---|---|")
    for case in [CASES[at] for at in chosen] or CASES:
        n = n_draws if not (case.is_low or case.is_by_size) else n_draws // 2
        seen = simulated(case, n)
        half = "–" if np.isnan(seen.half) else f"{seen.half:.2f}"
        row = (case.label, f"{n:,}", percent(seen.size), percent(seen.coverage), f"{seen.bias:+.2f}", half)
        print(f"| {' | '.join((*row, percent(seen.withheld), f'{seen.n_areas:.0f}'))} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000, [int(one) for one in sys.argv[2:]])
