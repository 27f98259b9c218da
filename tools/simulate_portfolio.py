"""Print the table of docs/methods/placebo-pool.md: how often a pool of areas without a programme is "found".

python tools/simulate_portfolio.py                        on the synthetic England
python tools/simulate_portfolio.py --data ../shared/data  on the published panel
python tools/simulate_portfolio.py --data … --write       writes it into docs/methods/placebo-pool.md

Each draw takes k areas without a programme as if each had had one, and pools them: by the rule of before (raw
estimates, one error for all, Hartung and Knapp) and by areas without a programme that are like them.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from make_check_tables import ROOT
from numpy.typing import NDArray

from evalkit.core.draws import stream
from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.published.project_data import read_baseline, read_records
from evalkit.data.published.sources import find_sources
from evalkit.data.synthetic import write_synthetic_england
from evalkit.design.project.areas import neighbour_comparisons
from evalkit.design.project.plan import make_design
from evalkit.estimate.areas.area_effects import AreaEffects, effects_by_area
from evalkit.estimate.areas.placebo_pool import AreaTable, PlaceboPool, placebo_pool
from evalkit.estimate.areas.random_effects import RandomEffects, random_effects
from evalkit.estimate.areas.sample import Changes, changes_to, levels_before, outcome_panel
from evalkit.run.project.project_file import load_project

PAGE = ROOT / "docs" / "methods" / "placebo-pool.md"
START, END = "<!-- made by tools/simulate_portfolio.py -->", "<!-- end of what was made -->"
OUTCOMES = ("READPROG", "MATPROG", "WRITPROG")
LOWEST = 40
N_REPETITIONS, N_DRAWS, SEED, LEVEL = 2_000, 999, 18, 0.05

Chooser = Callable[["Areas", np.random.Generator], NDArray[np.int64]]


@dataclass(frozen=True, eq=False)
class Areas:
    """The table of every area without a programme as its own project would hold it, by its code."""

    tables: dict[int, AreaTable]
    treated: int
    level: NDArray[np.float64]
    gap: NDArray[np.float64]

    @property
    def codes(self) -> NDArray[np.int64]:
        """Return the areas that may be chosen."""
        return np.array(sorted(self.tables), dtype=np.int64)


def areas_of(data: Path, outcome: str) -> Areas:
    """Return the areas of a folder of published files, each compared with its neighbours as its project would be."""
    folder = ROOT / "data" / "projects" / "knowsley-ssif"
    project, sources = load_project(folder / "project.yml"), find_sources(data)
    baseline = read_baseline(project, folder, sources)
    design = make_design(project, baseline).outcomes[outcome]
    intake = read_records(project, folder, sources)
    panel = outcome_panel(project, intake.records["KS2"], design)
    changes = changes_to(panel, project.exposure, project.exposure.post)
    before = levels_before(panel, project.exposure).keep(changes.units)
    neighbours, own = intake.neighbours[project.pool.neighbours], design.treated_group
    groups = np.unique(changes.group).tolist()

    def table(area: int) -> AreaTable:
        compared = neighbour_comparisons(groups, neighbours, {area: (area,)}, {own})
        effects, gaps = (
            effects_by_area(one, compared, area, project.pool.minimum_area_schools) for one in (changes, before)
        )
        return _table(area, before, effects, gaps)

    held = [area for area in groups if area != own and (changes.group == area).sum() >= 5]
    tables = {area: table(area) for area in held if set(neighbours.of(area)) & (set(groups) - {own})}
    rows = [(one.levels[at], one.gaps[at]) for one in tables.values() for at in [one.areas.index(one.own)]]
    level, gap = np.array(rows).T
    return Areas(tables, own, level, gap)


def _table(area: int, before: Changes, effects: AreaEffects, gaps: AreaEffects) -> AreaTable:
    groups = effects.groups.tolist()
    return AreaTable(
        own=area,
        areas=tuple(groups),
        effects=tuple(effects.effects.tolist()),
        gaps=tuple(gaps.effects.tolist()),
        levels=tuple(float(before.change[before.group == one].mean()) for one in groups),
        sizes=tuple(effects.n.tolist()),
    )


def at_random(k: int) -> Chooser:
    """Return the choice of k areas at random."""
    return lambda areas, generator: generator.choice(areas.codes, k, replace=False)


def of_the_lowest(k: int, what: str) -> Chooser:
    """Return the choice of k of the forty areas lowest before the programme, by level or by gap to their neighbours."""
    return lambda areas, generator: generator.choice(
        areas.codes[np.argsort(getattr(areas, what), kind="stable")[:LOWEST]], k, replace=False
    )


SCENARIOS: dict[str, Chooser] = {
    "8 of the 40 lowest": of_the_lowest(8, "level"),
    "8 of the 40 furthest below their neighbours": of_the_lowest(8, "gap"),
    "3 at random": at_random(3),
    "8 at random": at_random(8),
    "16 at random": at_random(16),
}


@dataclass(frozen=True)
class Rates:
    """What a choice of areas gave: rejections by the old rule and the new, means of both, half-length, shares."""

    old: float
    old_mean: float
    new: float
    new_mean: float
    half: float
    withheld: float
    n: int


def rates(areas: Areas, choose: Chooser, name: str, n: int) -> Rates:
    """Return how often pools of areas without a programme are found, in `n` draws."""
    generator = stream(SEED, name)
    pools, before = [], []
    for at in range(n):
        chosen = [areas.tables[int(code)] for code in choose(areas, generator)]
        found = placebo_pool(chosen, {areas.treated}, name=f"{name} {at}", n_draws=N_DRAWS)
        assert isinstance(found, PlaceboPool)
        pools.append(found)
        before.append(_by_the_old_rule(chosen))
    tests = [pool.test for pool in pools]
    p = np.array([test.p_value for test in tests if not isinstance(test.p_value, Unavailable)])
    reach = [(one.upper - one.lower) / 2 for one in (test.interval for test in tests) if isinstance(one, Interval)]
    return Rates(
        old=float(np.mean([one.p_value <= LEVEL for one in before])),
        old_mean=float(np.mean([one.estimate for one in before])),
        new=float((p <= LEVEL).mean()),
        new_mean=float(np.mean([test.estimate for test in tests])),
        half=float(np.median(reach)),
        withheld=1 - len(p) / n,
        n=n,
    )


def _by_the_old_rule(tables: list[AreaTable]) -> RandomEffects:
    """Return random effects of raw estimates, each with the root mean square of all other areas."""
    rows = [(dict(zip(one.areas, one.effects, strict=True)), one.own) for one in tables]
    errors = [float(np.sqrt(np.mean([x**2 for area, x in held.items() if area != own]))) for held, own in rows]
    return random_effects([held[own] for held, own in rows], errors)


def lines(data: Path, n: int) -> Iterator[str]:
    """Yield the table."""
    yield (
        "| outcome | areas chosen | old rule: found, % | its mean | by areas like them: found, % | mean | "
        "half-length, median | withheld, % |"
    )
    yield "|" + "---|" * 8
    for outcome in OUTCOMES:
        areas = areas_of(data, outcome)
        for name, choose in SCENARIOS.items():
            one = rates(areas, choose, f"{outcome} {name}", n)
            cells = (f"{100 * one.old:.1f}", f"{one.old_mean:+.2f}", f"{100 * one.new:.1f}", f"{one.new_mean:+.2f}")
            rest = (f"{one.half:.2f}", f"{100 * one.withheld:.1f}")
            yield f"| {outcome} | {name} | " + " | ".join((*cells, *rest)) + " |"


def main() -> None:
    """Print the table, or write it into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of published files; without one, the synthetic England")
    parser.add_argument("-n", type=int, default=N_REPETITIONS, help="pools for each row (default: %(default)s)")
    parser.add_argument("--write", action="store_true", help="write the table into docs/methods/placebo-pool.md")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if asked.data is None:
            write_synthetic_england(Path(folder))
        made = []
        for line in lines(asked.data or Path(folder), asked.n):
            print(line, flush=True)
            made.append(line)
    if not asked.write:
        return
    kind = "published panel" if asked.data else "synthetic England"
    said = f"Made on the {kind}: {asked.n:,} pools a row, {N_DRAWS} sets drawn for each, nominal level 5%."
    text = "\n".join((START, said, "", *made, END))
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
    PAGE.write_text(before + text + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    main()
