"""What units are like: a table with one row for each unit, whoever took part in whatever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.errors import DataError
from evalkit.core.shown import Shown
from evalkit.core.words import counted, did_you_mean, listed
from evalkit.data.baseline import is_category
from evalkit.data.ids import id_order, require_ids
from evalkit.data.published.codes import Coded
from evalkit.data.roles import LARGEST, SMALLEST, as_numbers, named, require_each_once


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileRoles:
    """Which column plays which part.

    `characteristics` are numbers, or texts as categories; `labels` are what lists may be restricted by; `name` and
    the columns in `shown` are for readers, and may be missing.
    """

    unit: str
    characteristics: tuple[str, ...]
    labels: tuple[str, ...] = ()
    name: str | None = None
    shown: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.characteristics:
            raise DataError("Name at least one characteristic to compare on.")
        if self.unit in self.characteristics:
            raise DataError(f"'{self.unit}' is the id of units; it cannot be compared on. Leave it out.")
        twice = [name for name in self.characteristics if self.characteristics.count(name) > 1]
        if twice:
            raise DataError(f"The characteristic '{twice[0]}' is named twice.")
        both = [name for name in self.shown if name in self.characteristics]
        if both:
            raise DataError(f"'{both[0]}' is compared on, and so is shown already. Leave it out of what is shown.")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Profiles(Shown):
    """Units with all their characteristics known, in the order that ids fix.

    Attributes
    ----------
    characteristics : DataFrame, one row per unit
        Columns of numbers, finite, and of texts (categories).
    labels : DataFrame on the same index
        Texts that lists may be restricted by: phase, area, region.
    names : Series on the same index, or None
    shown : DataFrame on the same index, texts for readers, empty where missing
    lacking : characteristic, and how many units lack it; a unit may lack several
    left_out : ids of units without one of the characteristics or labels
    codes : codes that stand in a characteristic in the place of a number, such as SUPP, and how often
    notes : what else a reader must know of the file

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit import ProfileRoles, Profiles
    >>> frame = pd.DataFrame({"school": ["B", "A", "C"], "pupils": [210.0, 30.0, None]})
    >>> profiles = Profiles.from_frame(frame, ProfileRoles(unit="school", characteristics=("pupils",)))
    >>> profiles.units.tolist(), profiles.lacking
    (['A', 'B'], (('pupils', 1),))
    """

    characteristics: pd.DataFrame
    labels: pd.DataFrame
    names: pd.Series | None
    shown: pd.DataFrame
    lacking: tuple[tuple[str, int], ...]
    left_out: pd.Index
    codes: tuple[Coded, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, roles: ProfileRoles) -> Profiles:
        """Copy and check a table; leave out and count units that lack a characteristic or label.

        Raise `DataError` where a column is missing, an id stands twice, or fewer than two units are whole.
        """
        _require(frame, roles)
        ids = pd.Index(frame[roles.unit])
        order = id_order(ids)
        table = frame if order is None else frame.iloc[order]
        index = pd.Index(ids if order is None else ids[order], name="unit")
        columns_named = list(dict.fromkeys([*roles.characteristics, *roles.labels]))
        is_lost = pd.DataFrame({name: table[name].isna().to_numpy() for name in columns_named})
        is_whole = ~np.asarray(is_lost.any(axis=1), dtype=bool)
        if is_whole.sum() < 2:
            raise _too_few(is_whole, is_lost)
        table, complete_units = table.iloc[np.flatnonzero(is_whole)], index[is_whole]
        columns = {name: _checked(table[name], complete_units) for name in roles.characteristics}
        return cls(
            pd.DataFrame(columns, index=complete_units),
            pd.DataFrame({name: table[name].astype("str").array for name in roles.labels}, index=complete_units),
            None if roles.name is None else pd.Series(_texts(table[roles.name]), index=complete_units),
            pd.DataFrame({name: _texts(table[name]) for name in roles.shown}, index=complete_units),
            tuple((name, int(is_lost[name].sum())) for name in columns_named if is_lost[name].any()),
            index[~is_whole],
        )

    @property
    def units(self) -> pd.Index:
        """Return the ids, in order."""
        return self.characteristics.index

    def position(self, unit: object) -> int:
        """Return where a unit stands, by its id or, where that is not one, by a name that only it has.

        Raise `DataError` where there is no such unit, or several.
        """
        position = self.units.get_indexer(pd.Index([unit]))[0]
        if position >= 0:
            return int(position)
        if unit in self.left_out:
            raise DataError(
                f"The unit {named(unit)} lacks a characteristic or a label, so that nothing can be compared with it. "
                "Fill it in, or leave that one out of the comparison."
            )
        return self._position_of_name(str(unit))

    def _position_of_name(self, name: str) -> int:
        texts = pd.Series(self.units if self.names is None else self.names.array).astype("str")
        positions = np.flatnonzero(texts.str.strip().str.lower() == name.strip().lower())
        if len(positions) == 1:
            return int(positions[0])
        if len(positions):
            ids = [str(unit) for unit in self.units[positions]]
            raise DataError(f"'{name}' is the name of {len(ids)} units. Give the id of one: {listed(ids)}.")
        meant = did_you_mean(name, {*self.units.astype(str), *texts})
        raise DataError(f"There is no unit '{name}'.{meant or ' Give an id as the table has it.'}")


def _too_few(is_whole: NDArray[np.bool_], is_lost: pd.DataFrame) -> DataError:
    if is_whole.all():
        return DataError("The table has one unit, so there is nothing to compare. Add others.")
    how_many = "One unit" if is_whole.any() else "No unit"
    return DataError(
        f"{how_many} of {len(is_whole)} has every characteristic ({_most_lacking(is_lost)}), so there is nothing to "
        "compare. Leave out the one that is lacking most."
    )


def _most_lacking(is_lost: pd.DataFrame) -> str:
    most = is_lost.sum().sort_values(ascending=False, kind="stable")
    return f"'{most.index[0]}' is missing for {counted(int(most.iloc[0]), 'unit')}"


def _require(frame: pd.DataFrame, roles: ProfileRoles) -> None:
    columns_named = [
        roles.unit,
        *roles.characteristics,
        *roles.labels,
        *roles.shown,
        *([roles.name] if roles.name else []),
    ]
    require_each_once(frame, columns_named)
    require_ids(pd.Index(frame[roles.unit]))


def _checked(values: pd.Series, index: pd.Index) -> object:
    name = str(values.name)
    if is_category(values) and not pd.api.types.is_bool_dtype(values.dtype):
        return values.astype("str").array
    numbers = as_numbers(values)
    is_unusable = ~np.isfinite(numbers) | (np.abs(numbers) > LARGEST)
    if is_unusable.any():
        raise DataError(
            f"The characteristic '{name}' of unit {named(index[int(np.argmax(is_unusable))])} is infinite or too "
            "large. Correct it."
        )
    if 0 < np.abs(numbers).max() < SMALLEST:
        raise DataError(f"The numbers of the characteristic '{name}' are too small. Use another unit of them.")
    return numbers


def _texts(values: pd.Series) -> Sequence[str]:
    return ["" if is_missing else str(value) for value, is_missing in zip(values, values.isna(), strict=True)]
