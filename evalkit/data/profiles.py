"""What units are like: a table with one row for each unit, whoever took part in whatever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.core.errors import DataError
from evalkit.core.words import counted, did_you_mean, listed
from evalkit.data.baseline import is_category
from evalkit.data.ids import id_order
from evalkit.data.roles import LARGEST, SMALLEST, as_numbers, named


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileRoles:
    """Which column plays which part: id, characteristics (numbers, or texts as categories), labels, name."""

    unit: str
    characteristics: tuple[str, ...]
    labels: tuple[str, ...] = ()
    name: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Profiles:
    """Units with all their characteristics known, in the order that ids fix.

    Attributes
    ----------
    characteristics : DataFrame, one row per unit
        Columns of numbers, finite, and of texts (categories).
    labels : DataFrame on the same index
        Texts that lists may be restricted by: phase, area, region.
    names : Series on the same index, or None
    lacking : characteristic, and how many units lack it; a unit may lack several
    left_out : ids of units without one of the characteristics or labels
    """

    characteristics: pd.DataFrame
    labels: pd.DataFrame
    names: pd.Series | None
    lacking: tuple[tuple[str, int], ...]
    left_out: pd.Index

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
        wanted = list(dict.fromkeys([*roles.characteristics, *roles.labels]))
        is_lost = pd.DataFrame({name: table[name].isna().to_numpy() for name in wanted})
        is_whole = ~is_lost.to_numpy().any(axis=1)
        if is_whole.sum() < 2:
            raise DataError(
                f"{counted(int(is_whole.sum()), 'unit')} of {len(index)} has every characteristic "
                f"({_most_lacking(is_lost)}), so there is nothing to compare. Leave out the one that is lacking most."
            )
        table, kept = table[is_whole], index[is_whole]
        columns = {name: _checked(table[name], kept) for name in roles.characteristics}
        return cls(
            pd.DataFrame(columns, index=kept),
            pd.DataFrame({name: table[name].astype("str").array for name in roles.labels}, index=kept),
            None if roles.name is None else pd.Series(_names(table[roles.name]), index=kept),
            tuple((name, int(n)) for name, n in is_lost.sum().items() if n),
            index[~is_whole],
        )

    @property
    def units(self) -> pd.Index:
        """Return the ids, in order."""
        return self.characteristics.index

    def position(self, unit: object) -> int:
        """Return where a unit stands; raise `DataError` with what is near where there is none of that id."""
        found = self.units.get_indexer(pd.Index([unit]))[0]
        if found >= 0:
            return int(found)
        if unit in self.left_out:
            raise DataError(f"The unit {named(unit)} lacks a characteristic, so that nothing can be compared with it.")
        hint = did_you_mean(str(unit), [str(one) for one in self.units])
        raise DataError(f"There is no unit {named(unit)}.{hint}")


def _most_lacking(is_lost: pd.DataFrame) -> str:
    most = is_lost.sum().sort_values(ascending=False, kind="stable")
    return f"'{most.index[0]}' is missing for {counted(int(most.iloc[0]), 'unit')}"


def _require(frame: pd.DataFrame, roles: ProfileRoles) -> None:
    columns = [str(name) for name in frame.columns]
    wanted = [roles.unit, *roles.characteristics, *roles.labels, *([roles.name] if roles.name else [])]
    for name in wanted:
        if name not in columns:
            raise DataError(
                f"The table has no column '{name}'.{did_you_mean(name, columns)}\nIt has: {listed(columns, 20)}."
            )
        if columns.count(name) > 1:
            raise DataError(f"The column '{name}' stands in the table twice. Keep one.")
    if not roles.characteristics:
        raise DataError("Name at least one characteristic to compare on.")
    if roles.unit in roles.characteristics:
        raise DataError(f"'{roles.unit}' is the id of units; it cannot be compared on. Leave it out.")
    twice = [name for name in roles.characteristics if roles.characteristics.count(name) > 1]
    if twice:
        raise DataError(f"The characteristic '{twice[0]}' is named twice.")
    _require_ids(pd.Index(frame[roles.unit]))


def _require_ids(ids: pd.Index) -> None:
    if not len(ids):
        raise DataError("The table has no rows.")
    if ids.hasnans:
        raise DataError("A row has no id. Fill it in, or leave the row out.")
    if not ids.is_unique:
        twice = ids[ids.duplicated()]
        raise DataError(
            f"The id {named(twice[0])} stands in more than one row ({counted(twice.nunique(), 'such id')}). "
            "Keep one row for each unit."
        )


def _checked(values: pd.Series, index: pd.Index) -> object:
    name = str(values.name)
    if is_category(values) and not pd.api.types.is_bool_dtype(values.dtype):
        return values.astype("str").array
    numbers = as_numbers(values)
    odd = ~np.isfinite(numbers) | (np.abs(numbers) > LARGEST)
    if odd.any():
        raise DataError(
            f"The characteristic '{name}' of unit {named(index[int(np.argmax(odd))])} is infinite or too large. "
            "Correct it."
        )
    if 0 < np.abs(numbers).max() < SMALLEST:
        raise DataError(f"The numbers of the characteristic '{name}' are too small. Use another unit of them.")
    return numbers


def _names(values: pd.Series) -> Sequence[str]:
    return ["" if lost else str(value) for value, lost in zip(values, values.isna(), strict=True)]
