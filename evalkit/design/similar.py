"""Which units are most like a unit, by a weighted distance on stated characteristics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from evalkit.core.arrays import Floats, Ints
from evalkit.core.disclosure import FEWEST_PUBLISHED
from evalkit.core.errors import DesignError
from evalkit.core.shown import Shown
from evalkit.core.words import did_you_mean, listed
from evalkit.data.baseline import is_category
from evalkit.data.profiles import Profiles

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

# Which units are most like a unit, by a weighted distance on stated characteristics.

CLOSENESS: Final = ((0.25, "very close"), (0.5, "close"), (0.75, "somewhat close"))
"""Up to which distance, in SDs, which word is used; beyond the last: not close. The kit's own convention."""
NOT_CLOSE: Final = "not close"


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarOptions:
    """How likeness is measured, and who may stand on a list.

    `weights` are by characteristic, 1 where none is given. `n` is the length of a list. Units of a list share every
    label in `same` with the unit it is for, and none in `not_same`. With `sd_within_same` a characteristic is
    measured in its SD within the groups of `same` (pooled over them), otherwise in its SD over all units.

    `pupils` names characteristics that count pupils. Counts under `fewest` enter as one and the same stand-in, so that
    neither SDs nor distances nor ranks depend on them: nothing that is told lets one be worked out.
    """

    weights: Mapping[str, float] = field(default_factory=dict)
    n: int = 50
    same: tuple[str, ...] = ()
    not_same: tuple[str, ...] = ()
    sd_within_same: bool = False
    pupils: tuple[str, ...] = ()
    fewest: int = FEWEST_PUBLISHED


@dataclass(frozen=True, slots=True, kw_only=True)
class Characteristic:
    """One characteristic of the distance: its weight, its SD over units (None for a category)."""

    name: str
    weight: float
    sd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarUnit:
    """One unit of a list: rank from 1 on, position in the profiles, distance in SDs, and that in a word."""

    rank: int
    position: int
    distance: float

    @property
    def closeness(self) -> str:
        """Return the distance in a word."""
        return closeness(self.distance)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SimilarUnits(Shown):
    """Lists of similar units, nearest first.

    Attributes
    ----------
    profiles : who was compared, on what
    asked : shape (m,), positions of the units the lists are for
    positions : shape (m, n), −1 where fewer units may stand on a list
    distance : shape (m, n)
        √(Σ w d²/Σ w): d is the difference in SDs, for categories 0 where they are the same and 1 where not.
    """

    profiles: Profiles
    option: SimilarOptions
    characteristics: tuple[Characteristic, ...]
    asked: Ints
    positions: Ints
    distance: Floats

    def of(self, unit: object) -> tuple[SimilarUnit, ...]:
        """Return the list of a unit, nearest first; raise `DesignError` where none was asked for."""
        at = np.flatnonzero(self.asked == self.profiles.position(unit))
        if not len(at):
            raise DesignError(f"No list was made for the unit '{unit}'. Ask for it, or for all units.")
        row = int(at[0])
        pairs = zip(self.positions[row].tolist(), self.distance[row].tolist(), strict=True)
        return tuple(
            SimilarUnit(rank=rank, position=position, distance=distance)
            for rank, (position, distance) in enumerate(pairs, start=1)
            if position >= 0
        )

    @property
    def n_short(self) -> int:
        """Return how many lists are shorter than was asked for, as too few units may stand on them."""
        return int(((self.positions >= 0).sum(axis=1) < self.option.n).sum())

    def pairs(self) -> pd.DataFrame:
        """Return every list as rows: unit, rank, similar unit, distance, closeness."""
        ids, is_listed = self.profiles.units, self.positions >= 0
        row, place = np.nonzero(is_listed)
        distance = self.distance[is_listed]
        return pd.DataFrame(
            {
                "unit": ids[self.asked[row]],
                "rank": place + 1,
                "similar": ids[self.positions[is_listed]],
                "distance": distance,
                "closeness": [closeness(value) for value in distance.tolist()],
            }
        )


def closeness(distance: float) -> str:
    """Return a distance in SDs in a word: very close, close, somewhat close, not close."""
    return next((word for most, word in CLOSENESS if distance <= most), NOT_CLOSE)


def similar_units(profiles: Profiles, option: SimilarOptions | None = None, unit: object = None) -> SimilarUnits:
    """Return the units most like one unit, or like each unit, in the manner of published families of schools.

    Parameters
    ----------
    profiles : Profiles
        Units with their characteristics and labels.
    option : SimilarOptions
    unit : id of the unit a list is wanted for; without it every unit gets one

    Raises
    ------
    DesignError
        Where a characteristic does not vary, a weight or label is of none that is known, or nobody may be listed.

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit import ProfileRoles, Profiles, SimilarOptions, similar_units
    >>> frame = pd.DataFrame({"school": list("ABCD"), "pupils": [200.0, 210.0, 420.0, 190.0], "phase": list("ppps")})
    >>> roles = ProfileRoles(unit="school", characteristics=("pupils",), labels=("phase",))
    >>> lists = similar_units(Profiles.from_frame(frame, roles), SimilarOptions(n=2, same=("phase",)), unit="A")
    >>> lists.pairs().round(2)
      unit  rank similar  distance   closeness
    0    A     1       B      0.09  very close
    1    A     2       C      1.99   not close
    """
    option = option or SimilarOptions()
    _require(profiles, option)
    group = _codes(profiles.labels[list(option.same)])
    characteristics, columns = _scaled(profiles, option, group)
    barred = _barred(profiles, option)
    if unit is None:
        rows_asked = np.arange(len(profiles.units), dtype=np.int64)
        positions, distance = nearest_to_all(columns, group, barred, min(option.n, len(rows_asked) - 1))
    else:
        rows_asked = np.array([profiles.position(unit)], dtype=np.int64)
        candidates = _candidates(int(rows_asked[0]), group, barred)
        nearest, far = nearest_to(columns, int(rows_asked[0]), candidates, option.n)
        positions, distance = nearest[None, :], far[None, :]
    if not (positions >= 0).any():
        raise DesignError(f"No other unit may stand on a list: none {_wanted(option)}. Ask for less.")
    return SimilarUnits(profiles, option, characteristics, rows_asked, positions, distance)


def _candidates(row: int, group: Ints, barred: Ints | None) -> Ints:
    """Return the positions of units that may stand on the list of a row."""
    is_open = group == group[row]
    is_open[row] = False
    if barred is not None:
        is_open &= (barred != barred[row]).all(axis=1)
    return np.flatnonzero(is_open)


def _wanted(option: SimilarOptions) -> str:
    parts = [f"shares {listed(list(option.same))}"] if option.same else []
    parts += [f"differs in {listed(list(option.not_same))}"] if option.not_same else []
    return " and ".join(parts) or "is there"


def _require(profiles: Profiles, option: SimilarOptions) -> None:
    known = [str(name) for name in profiles.characteristics]
    for name, weight in option.weights.items():
        if name not in known:
            raise DesignError(
                f"A weight is given to '{name}', which is no characteristic that is compared on."
                f"{did_you_mean(name, known)} Compared on: {listed(known, 20)}."
            )
        if not 0 < weight < 1e6:
            raise DesignError(f"The weight of '{name}' is a positive number, not {weight:g}. Leave out what has none.")
    for name in option.pupils:
        if name not in known:
            raise DesignError(f"'{name}' is no characteristic that is compared on.{did_you_mean(name, known)}")
        if name in (*option.same, *option.not_same):
            raise DesignError(f"'{name}' counts pupils: units that share it, or do not, would tell small counts.")
    labels = [str(name) for name in profiles.labels]
    for name in (*option.same, *option.not_same):
        if name not in labels:
            raise DesignError(f"The units have no label '{name}'.{did_you_mean(name, labels)}")
    both = [name for name in option.same if name in option.not_same]
    if both:
        raise DesignError(f"'{both[0]}' is to be shared and not to be shared. Choose one.")
    if option.n < 1:
        raise DesignError(f"A list holds at least one unit, not {option.n}.")


def _codes(labels: pd.DataFrame) -> Ints:
    if not labels.shape[1]:
        return np.zeros(len(labels), dtype=np.int64)
    return labels.groupby(list(labels), sort=True, observed=True).ngroup().to_numpy().astype(np.int64)


def _barred(profiles: Profiles, option: SimilarOptions) -> Ints | None:
    if not option.not_same:
        return None
    codes = [pd.factorize(profiles.labels[name], sort=True)[0] for name in option.not_same]
    return np.column_stack(codes).astype(np.int64)


def _scaled(profiles: Profiles, option: SimilarOptions, group: Ints) -> tuple[tuple[Characteristic, ...], Floats]:
    """Return the characteristics as measured, and columns whose Euclidean distance is the distance wanted."""
    frame = profiles.characteristics
    weights = {str(name): float(option.weights.get(str(name), 1.0)) for name in frame}
    total = sum(weights.values())
    characteristics, columns = [], []
    for name, weight in weights.items():
        reach = np.sqrt(weight / total)
        compared = pupils_compared(frame[name], option.fewest) if name in option.pupils else frame[name]
        if is_category(compared):
            codes, levels = pd.factorize(compared, sort=True)
            _require_variation(name, len(levels) > 1)
            # Two units of different levels differ by √½ in two columns: by 1 together.
            columns.append((codes[:, None] == np.arange(len(levels))) * np.sqrt(0.5) * reach)
            characteristics.append(Characteristic(name=name, weight=weight, sd=None))
            continue
        values = compared.to_numpy(dtype=float)
        sd = _spread(values, group if option.sd_within_same else np.zeros_like(group))
        _require_variation(name, sd > 1e-10 * np.abs(values).max())
        columns.append(((values - values.mean()) / sd * reach)[:, None])
        characteristics.append(Characteristic(name=name, weight=weight, sd=sd))
    return tuple(characteristics), np.column_stack(columns).astype(float)


def pupil_counts(values: pd.Series) -> Ints:
    """Return counts of pupils as whole numbers, also where they are compared as categories.

    Raise `DesignError` where one is no whole number.
    """
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float)
    is_no_count = ~(numbers == np.round(numbers))
    if is_no_count.any():
        raise DesignError(
            f"'{values.name}' is named as a count of pupils and holds "
            f"{values.iloc[int(np.argmax(is_no_count))]}. Counts are whole numbers."
        )
    return numbers.astype(np.int64)


def small_count_value(fewest: int) -> float:
    """Return what stands for every count of pupils under `fewest`: the middle of what it can be."""
    return (fewest - 1) / 2


def pupils_compared(values: pd.Series, fewest: int) -> pd.Series:
    """Return counts of pupils as they are compared, those under `fewest` as one stand-in, or one category."""
    counts = pupil_counts(values)
    if is_category(values):
        return values.mask(counts < fewest, f"fewer than {fewest}")
    return pd.Series(np.where(counts < fewest, small_count_value(fewest), counts), index=values.index, name=values.name)


def _require_variation(name: str, varies: bool) -> None:
    if not varies:
        raise DesignError(f"The characteristic '{name}' is the same for all units and tells none apart. Leave it out.")


def _spread(values: Floats, group: Ints) -> float:
    """Return √(Σ(x − mean of the group)²/(units − groups)): over one group the usual SD."""
    size = np.bincount(group)
    means = np.bincount(group, values) / np.maximum(size, 1)
    freedom = len(values) - int((size > 0).sum())
    return float(np.sqrt(((values - means[group]) ** 2).sum() / freedom)) if freedom else 0.0


# The nearest units to each unit within its group: arrays in, positions and distances out.

_SAME: Final = 10
"""Distances that agree to so many decimals are equal; the unit whose id comes first then wins."""
_BUDGET: Final = 4_000_000
"""Numbers that may be held at once for the units of one chunk."""


def distances_to(columns: Floats, row: int, other_rows: Ints) -> Floats:
    """Return the Euclidean distance of a row to others, shape (n_others,), rounded so that ties are ties."""
    return np.asarray(np.round(np.sqrt(((columns[other_rows] - columns[row]) ** 2).sum(axis=1)), _SAME))


def nearest_to(columns: Floats, row: int, candidates: Ints, n: int) -> tuple[Ints, Floats]:
    """Return the `n` nearest of the candidates to a row, nearest first, ties by position; fewer where there are fewer.

    Shapes (n,), (n,).
    """
    far = distances_to(columns, row, candidates)
    if len(far) > n:
        edge = np.partition(far, n - 1)[n - 1]
        candidates, far = candidates[far <= edge], far[far <= edge]
    order = np.lexsort((candidates, far))[:n]
    return candidates[order], far[order]


def nearest_to_all(columns: Floats, group: Ints, barred: Ints | None, n: int) -> tuple[Ints, Floats]:
    """Return for each row the `n` nearest rows of its group, ties by position; −1 and 0 where there are fewer.

    Parameters
    ----------
    columns : shape (n_units, k)
    group : shape (n_units,), codes
    barred : shape (n_units, j), or None
        Codes of labels of which no two that are listed together may share one.
    n : length of the lists

    Returns
    -------
    positions, distances : shape (n_units, n)
        By a k-d tree for each group, in chunks; never n_units × n_units.
    """
    from scipy.spatial import cKDTree

    positions = np.full((len(columns), n), -1, dtype=np.int64)
    far = np.zeros((len(columns), n))
    order = np.argsort(group, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        tree = cKDTree(columns[members])
        width = n + 9  # itself, and some more to see whether the last place is tied
        for rows in np.array_split(members, max(1, -(-len(members) * width * columns.shape[1] // _BUDGET))):
            _fill(columns, tree, members, rows, (barred, width, positions, far))
    return positions, far


def _fill(
    columns: Floats, tree: cKDTree, members: Ints, rows: Ints, lists: tuple[Ints | None, int, Ints, Floats]
) -> None:
    """Write the lists of some rows: wider searches for those whose last place is tied or barred."""
    barred, width, positions, far = lists
    n = positions.shape[1]
    while len(rows):
        k = min(width, len(members))
        nearby = members[tree.query(columns[rows], k=np.arange(1, k + 1))[1]]
        gaps = np.round(np.sqrt(((columns[nearby] - columns[rows][:, None, :]) ** 2).sum(axis=2)), _SAME)
        is_open = nearby != rows[:, None]
        if barred is not None:
            is_open &= (barred[nearby] != barred[rows][:, None, :]).all(axis=2)
        keys = np.where(is_open, gaps, np.inf)
        order = np.lexsort((nearby, keys), axis=1)[:, :n]
        nearest, reach = np.take_along_axis(nearby, order, 1), np.take_along_axis(keys, order, 1)
        is_known = np.isfinite(reach)
        is_done = (is_known.sum(axis=1) >= n) & (reach[:, -1] < gaps.max(axis=1)) if k < len(members) else None
        done = slice(None) if is_done is None else is_done
        size = reach.shape[1]
        positions[rows[done], :size] = np.where(is_known, nearest, -1)[done]
        far[rows[done], :size] = np.where(is_known, reach, 0.0)[done]
        rows = rows[:0] if is_done is None else rows[~is_done]
        width = 4 * width
        if len(rows) * min(width, len(members)) * columns.shape[1] > _BUDGET:
            for row in rows:
                _fill_one(columns, members, int(row), lists)
            return


def _fill_one(columns: Floats, members: Ints, row: int, lists: tuple[Ints | None, int, Ints, Floats]) -> None:
    barred, _, positions, far = lists
    is_open = members != row
    if barred is not None:
        is_open &= (barred[members] != barred[row]).all(axis=1)
    nearest, gaps = nearest_to(columns, row, members[is_open], positions.shape[1])
    positions[row, : len(nearest)], far[row, : len(nearest)] = nearest, gaps
