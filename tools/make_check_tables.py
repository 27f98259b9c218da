"""Print the tables of docs/methods/checks.md: how often checks are wrong in areas without a programme, and their power.

python tools/make_check_tables.py                      on the synthetic England
python tools/make_check_tables.py --data ../shared/data    on the published panel
python tools/make_check_tables.py --data … --write     writes them into docs/methods/checks.md between its marks

Every area of England but the treated one takes its turn as if treated. Nothing of any single school or area is printed.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evalkit.core.arrays import Floats
from evalkit.core.project import Outcome
from evalkit.data.measures import measure
from evalkit.data.published.project_data import read_baseline, read_records
from evalkit.data.published.sources import find_sources
from evalkit.data.synthetic import write_synthetic_england
from evalkit.design.project.labels import NEIGHBOURS
from evalkit.design.project.plan import make_design
from evalkit.diagnose.project.describe import describe_design
from evalkit.diagnose.project.evaluate import estimate_results
from evalkit.diagnose.project.falsification import (
    CAUTION,
    SERIOUS,
    Falsification,
    JointTest,
    detectable_at_design,
    joint_of,
    joint_statistic,
    rank_p_values,
    ranked_tests,
)
from evalkit.diagnose.project.results import Results
from evalkit.run.project.project_file import load_project

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "methods" / "checks.md"
START, END = "<!-- made by tools/make_check_tables.py -->", "<!-- end of what was made -->"
PAIRS = (("READPROG", "MATPROG"), ("WRITPROG", "MATPROG"), ("MATPROG", "READPROG"))
"""The primary outcome and the placebo outcome of each made-up programme."""
WORDS = {
    "pre_trend": "movement before",
    "placebo_outcome": "placebo outcome",
    "alternative_list": "other list",
    "influence": "one school",
}


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """The tests of one primary outcome in every area without a programme."""

    name: str
    results: Results
    tests: list[Falsification]
    joint: JointTest
    effects: Floats
    sizes: Floats

    @property
    def others(self) -> NDArray[np.bool_]:
        """Return which areas had no programme: all but the treated one."""
        return np.arange(len(self.joint.areas)) != self.joint.treated

    def statistic(self, at: int) -> Floats:
        """Return a statistic in the areas of the joint test, in SDs of the other areas' effects on its outcome."""
        test = self.tests[at]
        values = test.statistic[np.isin(test.areas, self.joint.areas)]
        if test.is_largest:
            return values  # it is in such SDs already
        effects = values if test.name == "placebo_outcome" else self.effects
        return values / effects[self.others].std(ddof=1)


def rehearsals(data: Path) -> list[Rehearsal]:
    """Return a rehearsal for each pair of outcomes."""
    folder = ROOT / "data" / "projects" / "knowsley-ssif"
    project, sources = load_project(folder / "project.yml"), find_sources(data)
    baseline = read_baseline(project, folder, sources)
    locked = make_design(project, baseline)
    stage = describe_design(project, baseline, locked)
    results = estimate_results(project, read_records(project, folder, sources), locked, stage)
    return [_rehearsal(results, *pair) for pair in PAIRS]


def _rehearsal(results: Results, primary: str, placebo: str) -> Rehearsal:
    outcomes = (Outcome(measure=primary, role="primary"), Outcome(measure=placebo, role="placebo"))
    turned = replace(results, project=replace(results.project, outcomes=outcomes, contrasts=()))
    tests = ranked_tests(turned)
    joint = joint_of(tests)
    assert isinstance(joint, JointTest)
    areas = turned.outcomes[primary].areas[NEIGHBOURS, "post"]
    at = np.searchsorted(areas.groups, joint.areas)
    return Rehearsal(measure(primary).label, turned, tests, joint, areas.effects[at], areas.n[at].astype(float))


def rates(made: list[Rehearsal]) -> Iterator[str]:
    """Yield how often each check is serious or a caution, by the ranks of its own outcome."""
    yield "| primary outcome | areas | " + " | ".join(WORDS.values()) + " | any serious | any caution | joint serious |"
    yield rule(5 + len(WORDS))
    for one in made:
        p = one.joint.p_values[:, one.others]
        can = np.array([test.can_be_serious for test in one.tests])
        cells = [f"{share(row <= SERIOUS)} / {share(row <= CAUTION)}" for row in p]
        joint = rank_p_values(one.joint.statistic)[one.others]
        whole = (share((p[can] <= SERIOUS).any(axis=0)), share((p <= CAUTION).any(axis=0)), share(joint <= SERIOUS))
        yield f"| {one.name} | {p.shape[1]} | " + " | ".join((*cells, *whole)) + " |"


def families(made: list[Rehearsal]) -> Iterator[str]:
    """Yield the share of areas with any serious check by which checks may be serious."""
    yield "| may be serious | " + " | ".join(one.name for one in made) + " |"
    yield rule(1 + len(made))
    names = list(WORDS.values())
    for chosen in ((0, 1), (0, 1, 2), (0, 1, 2, 3)):
        cells = (share((one.joint.p_values[list(chosen)][:, one.others] <= SERIOUS).any(axis=0)) for one in made)
        yield f"| {', '.join(names[at] for at in chosen)} | " + " | ".join(cells) + " |"


def across(made: list[Rehearsal]) -> Iterator[str]:
    """Yield rates in one outcome by thresholds from another, statistics in SDs of the effects of areas."""
    yield "| thresholds from | rates in | " + " | ".join(WORDS.values()) + " | any serious | joint serious |"
    yield rule(4 + len(WORDS))
    for source, other in permutations(made, 2):
        p = np.array([_p_from(source.statistic(k), other.statistic(k)[other.others]) for k in range(len(WORDS))])
        can = np.array([test.can_be_serious for test in other.tests])
        limit = np.sort(source.joint.statistic)[-int(SERIOUS * len(source.joint.statistic))]
        cells = (*(share(row <= SERIOUS) for row in p), share((p[can] <= SERIOUS).any(axis=0)))
        yield f"| {source.name} | {other.name} | " + " | ".join((*cells, share(joint_statistic(p) >= limit))) + " |"


def _p_from(source: Floats, statistic: Floats) -> Floats:
    """Return p-values by the distribution of another outcome: (1 + its areas at least as large) / (its areas + 1)."""
    smaller = np.searchsorted(np.sort(np.abs(source)), np.abs(statistic), side="left")
    p: Floats = (1 + len(source) - smaller) / (len(source) + 1)
    return p


def by_thirds(made: list[Rehearsal], what: str, of: Callable[[Rehearsal], Floats]) -> Iterator[str]:
    """Yield how many areas have each check serious, by third of something."""
    yield f"| primary outcome | third by {what} | " + " | ".join(WORDS.values()) + " | joint |"
    yield rule(3 + len(WORDS))
    for one in made:
        order = np.argsort(of(one)[one.others], kind="stable")
        p = np.vstack([one.joint.p_values, rank_p_values(one.joint.statistic)])[:, one.others]
        for label, rows in zip(("smallest", "middle", "largest"), np.array_split(order, 3), strict=True):
            cells = (f"{(row[rows] <= SERIOUS).sum()} of {len(rows)}" for row in p)
            yield f"| {one.name} | {label} | " + " | ".join(cells) + " |"


def power(made: list[Rehearsal]) -> Iterator[str]:
    """Yield how often each check, and all together, find a flaw of 0.5, 1 and 2 MDES that moves that check alone."""
    yield "| primary outcome | MDES | flaw seen by | the check: 0.5, 1, 2 MDES | all together: 0.5, 1, 2 MDES |"
    yield rule(5)
    for one in made:
        detectable = detectable_at_design(one.results)
        assert isinstance(detectable, float)
        for at, test in enumerate(one.tests):
            sizes = [times * detectable for times in (0.5, 1.0, 2.0)]
            alone = ", ".join(f"{100 * test.detected(size):.0f}" for size in sizes)
            joint = ", ".join(f"{100 * _joint_power(one, at, size):.0f}" for size in sizes)
            yield f"| {one.name} | {detectable:.2f} | {WORDS[test.name]} | {alone} % | {joint} % |"


def _joint_power(one: Rehearsal, at: int, flaw: float) -> float:
    """Return how often Q is among the 5% largest, the treated area being like each other one but for the flaw."""
    test, others = one.tests[at], one.others
    statistic = test.statistic[np.isin(test.areas, one.joint.areas)][others]
    logs = -np.log(np.delete(one.joint.p_values, at, axis=0)[:, others]).sum(axis=0)
    found = []
    for planted in test.planted(statistic, flaw):
        joint = logs - np.log(_p_from(statistic, planted))
        found.append((_p_from(one.joint.statistic[others], joint) <= SERIOUS).mean())
    return float(np.mean(found))


def share(hits: NDArray[np.bool_]) -> str:
    """Return a share in per cent with one decimal."""
    return f"{100 * hits.mean():.1f}"


def rule(n: int) -> str:
    """Return the line under the heads of a table."""
    return "|" + "---|" * n


def tables(made: list[Rehearsal], kind: str) -> str:
    """Return every table with its title."""
    parts: Sequence[tuple[str, Iterator[str]]] = (
        ("Serious / caution by its own ranks, % of areas without a programme", rates(made)),
        ("Any serious check, %, by which checks may be serious", families(made)),
        (
            "Thresholds from one primary outcome, rates in another: serious, % of areas without a programme",
            across(made),
        ),
        (
            "Serious by size of the effect that chance alone made",
            by_thirds(made, "effect", lambda o: np.abs(o.effects)),
        ),
        ("Serious by number of schools", by_thirds(made, "schools", lambda o: o.sizes)),
        ("Power: found with p ≤ 0.05, % of areas", power(made)),
    )
    text = "\n\n".join("\n".join((f"**{title}.**", "", *lines)) for title, lines in parts)
    return f"{START}\nMade on the {kind}.\n\n{text}\n{END}"


def main() -> None:
    """Print the tables, or write them into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of published files; without one, the synthetic England")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/methods/checks.md")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if asked.data is None:
            write_synthetic_england(Path(folder))
        made = rehearsals(asked.data or Path(folder))
    text = tables(made, "published panel" if asked.data else "synthetic England")
    if not asked.write:
        print(text)
        return
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
    PAGE.write_text(before + text + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    main()
