"""Whether listed schools are judged by sets of other schools, and by which: decided from years before the programme.

Sets are random where the list lies where its areas lie; a list of low schools gains where nothing happens, as chance in
its earlier scores fades, so that it is set beside sets like it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from evalkit.core.arrays import Bools, Floats, Ints
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.words import counted

SetRule = Literal["simple", "like", "rule"]

SUCH_SETS: Final[dict[str, str]] = {
    "simple": "sets drawn at random",
    "like": "sets like the list",
    "rule": "sets that the same rule lists",
}
"""What sets of each draw are called for readers."""
LESS_EXPECTED: Final = (
    "Where sets are like the list, or listed by its rule, the {what} is less what such sets gain where nothing "
    "happened."
)

INTERVAL_NEEDS: Final = 40
"""Areas, the treated ones counted, below which no interval is given."""
P_NEEDS: Final = 20
"""Areas below which no p-value is given either: no rank among fewer reaches 5%."""
PER_TREATED: Final = 7
"""Areas without a programme for each treated one below which several treated areas are not judged by sets."""
MOST_AREAS: Final = 20
"""Treated areas above which they are clusters enough for errors by area."""
LOW_BY: Final = 0.25
"""Within-area school SDs below their area's mean from which listed schools are compared with sets like them."""
TENTHS: Final = 10
_NOBODY_LEFT: Final = 1e-12


def tenths(level: Floats, ids: Collection[str]) -> Ints:
    """Return each unit's national tenth of the level before, −1 where it has none; ties by id, not by row."""
    order = np.argsort(np.array([str(one) for one in ids], dtype=object), kind="stable")
    known = order[np.isfinite(level[order])]
    ranked = known[np.argsort(level[known], kind="stable")]
    tenth = np.full(len(level), -1, dtype=np.int64)
    tenth[ranked] = TENTHS * np.arange(len(ranked)) // max(len(ranked), 1)
    return tenth


def can_hold(classes: Ints, wanted: Ints) -> bool:
    """Return whether an area's units, of these classes, are enough of each for a set of so many."""
    has = np.bincount(classes[classes >= 0], minlength=len(wanted))[: len(wanted)]
    return bool((has >= wanted).all() and wanted.sum() > 0)


def below_area(level: Floats, area: Ints, is_listed: Bools) -> Quantity:
    """Return by how many within-area SDs the listed units' level lies below the mean of their areas; or why unknown.

    Parameters
    ----------
    level : shape (n,), mean before the programme of every unit, NaN where it is not known
    area : shape (n,), its area
    is_listed : shape (n,)
    """
    if not np.isfinite(level[is_listed]).all():
        return Unavailable("The level before the programme is not known of every listed unit.")
    known = np.isfinite(level)
    codes, at = np.unique(area[known], return_inverse=True)
    means = np.bincount(at, level[known]) / np.bincount(at)
    gap = means[at] - level[known]
    df = len(gap) - len(codes)
    spread = float(np.sqrt((gap**2).sum() / df)) if df > 0 else 0.0
    if spread <= _NOBODY_LEFT:
        return Unavailable("Units of the same area have the same level before the programme.")
    return float(gap[is_listed[known]].mean()) / spread


def rule_of(below: Quantity) -> SetRule:
    """Return the draw of the headline: `like` the list where it lies more than .25 SD low, else `simple`."""
    return "like" if isinstance(below, float) and below > LOW_BY else "simple"


def sets_hold(rule: SetRule, before: str) -> str:
    """Return what a set holds, in words that follow "sets hold"; `before` names the results before."""
    return {
        "simple": "as many at random",
        "like": f"as many from each tenth of {before}",
        "rule": "those that the declared rule lists in their area",
    }[rule]


def too_few(n_areas: int, n_treated: int) -> str:
    """Return why so many areas, the treated counted, are too few for a p-value, or an empty text."""
    free = n_areas - n_treated
    if n_treated > 1 and free < PER_TREATED * n_treated:
        return (
            f"{counted(free, 'other area')} could hold such sets, for {n_treated:,} treated ones: at least "
            f"{PER_TREATED} for each are needed."
        )
    if n_areas < P_NEEDS:
        return (
            f"{counted(n_areas, 'area')} could hold such a set, the treated counted; {P_NEEDS} are needed before a "
            "rank among them can be unlikely."
        )
    return ""


def too_few_areas(n_areas: int, n_treated: int) -> str:
    """Return why whole areas, the treated ones counted, are too few for a p-value, or an empty text."""
    free = n_areas - n_treated
    if n_treated > 1 and free < PER_TREATED * n_treated:
        return (
            f"{counted(free, 'other area')} could take the place of one of the {n_treated:,} treated: at least "
            f"{PER_TREATED} for each are needed before a rank among them says anything."
        )
    if n_areas < P_NEEDS:
        return (
            f"{counted(n_areas, 'area')} could be analysed the same way, the treated counted; {P_NEEDS} are needed "
            "before a rank among them can be unlikely. Supply the series of more areas."
        )
    return ""


def no_interval_of_sets(n_disjoint: int) -> str:
    """Return why sets of areas that lie together give no interval, so many of them having no area in common."""
    return (
        f"At most {counted(n_disjoint, 'set')} of areas that lie together and have none in common can be found; an "
        f"interval takes {INTERVAL_NEEDS}."
    )


def no_interval_of_areas(n_areas: int, level: float) -> str:
    """Return why so many whole areas, the treated ones counted, give no interval at a level, or an empty text."""
    needed = max(INTERVAL_NEEDS, round(1 / (1 - level)))
    if n_areas >= needed:
        return ""
    return f"Fewer than {needed} areas could be analysed the same way, so no interval is given."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SetDesign:
    """How listed schools, or several whole areas, are judged by sets: decided before outcomes.

    Attributes
    ----------
    area, level : area and mean before the programme of every school that has one
    others : schools of the treated areas that could be analysed and take no part
    treated : areas in which analysed schools take part
    below : within-area SDs by which the listed lie below their areas before; `rule` follows from it
    is_whole : whether every school of the treated areas takes part, so that whole areas are drawn
    picked : schools that the declared rule lists in any area; None where none is declared
    n_areas : J, areas that could hold such a set, the treated counted
    """

    area: pd.Series
    level: pd.Series
    others: pd.Index
    treated: tuple[int, ...]
    below: Quantity
    rule: SetRule
    is_whole: bool
    n_areas: int
    picked: pd.Index | None = None

    def picked_among(self, units: pd.Index) -> Bools | None:
        """Return which of some units the declared rule lists, None where none is declared."""
        return None if self.picked is None else np.asarray(units.isin(self.picked))

    @property
    def too_few(self) -> str:
        """Return why sets say nothing here, or an empty text."""
        return too_few(self.n_areas, len(self.treated))


def set_design(
    level: pd.Series,
    area: pd.Series,
    schools: pd.Index,
    listed: pd.Index,
    stand_ins: Collection[int],
    *,
    picked: pd.Index | None = None,
) -> SetDesign:
    """Decide how listed schools are judged by sets.

    Parameters
    ----------
    level, area : mean before the programme and area of every school that has one
    schools : those that can be analysed, the others of treated areas among them
    listed : the schools that take part
    stand_ins : areas that may be drawn: with somebody to compare with, not treated and not excluded
    picked : schools that a declared rule lists in any area, which then stand for it; None where none is declared
    """
    placed = schools[schools.isin(area.index)].sort_values()
    place = area.reindex(placed).to_numpy(dtype=np.int64)
    is_listed = np.asarray(placed.isin(listed))
    values = level.reindex(placed).to_numpy(dtype=float)
    treated = np.unique(place[is_listed])
    is_other = np.isin(place, treated) & ~is_listed
    is_whole = not is_other.any()
    below = below_area(values, place, is_listed) if is_listed.any() else Unavailable("No listed school is left.")
    declared: SetRule = rule_of(below) if picked is None else "rule"
    rule: SetRule = "simple" if is_whole else declared
    others = sorted(set(stand_ins) - {*treated.tolist()})
    if rule == "rule" and picked is not None:
        others = sorted({*others} & {*place[np.asarray(placed.isin(picked))].tolist()})
    classes = tenths(values, list(placed)) if rule == "like" else np.zeros(len(placed), dtype=np.int64)
    return SetDesign(
        area=area,
        level=level,
        others=placed[is_other],
        treated=tuple(treated.tolist()),
        below=below,
        rule=rule,
        is_whole=is_whole,
        n_areas=len(treated)
        + (len(others) if rule == "rule" else _n_fitting(place, classes, is_listed, is_whole, others)),
        picked=picked,
    )


def _n_fitting(place: Ints, classes: Ints, is_listed: Bools, is_whole: bool, others: list[int]) -> int:
    """Return how many areas could hold the set that fits fewest."""
    fewest = len(others)
    for one in np.unique(place[is_listed]).tolist():
        wanted = np.bincount(classes[is_listed & (place == one)], minlength=TENTHS)
        wanted = np.minimum(wanted, 1) if is_whole else wanted
        fewest = min(fewest, sum(can_hold(classes[place == code], wanted) for code in others))
    return fewest
