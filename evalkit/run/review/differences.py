"""Two makings of the same outputs set side by side: to the byte, and number by number."""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from evalkit.run.outputs.hashes import Hashes
from evalkit.run.review.finished import NUMBERS, RESULTS, FinishedRun

TOLERANCE: Final = 1e-9
"""Numbers that differ by no more than this share of the larger are the same: beyond it lies no rounding of BLAS."""
NOTHING: Final = 1e-12
"""What arithmetic leaves of zero: two numbers no further apart are the same, whatever share that is."""
OutputState = Literal["numbers", "drawn", "gone", "new", "not there"]
_PICTURES: Final = "parts.json"
"""Holds what documents are drawn from, pictures among it: its numbers stand in results.json and the tables too."""
_LEAVES: Final = ("estimate", "std_error", "interval.lower", "interval.upper", "p_value")
_KEY: Final = ("outcome", "design", "period", "inference", "cluster_level")


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """How far two files of numbers are apart: numbers that differ, the largest share and where, and other cells."""

    n_numbers: int = 0
    largest: float = 0.0
    where: str = ""
    n_others: int = 0

    @property
    def is_same(self) -> bool:
        """Whether every number is the same within the tolerance, and every other cell to the letter."""
        return self.n_others == 0 and self.largest <= TOLERANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputDifference:
    """One output that is not the same to the byte, and how far its numbers are apart.

    `state` is `numbers` for tables and records, `drawn` for documents, figures and notebooks, `gone` and `new` for one
    that only the first or only the second making has, and `not there` where the first is not at hand.
    """

    name: str
    state: OutputState
    apart: Apart = Apart()

    @property
    def is_within(self) -> bool:
        """Whether nothing but drawing, or less than the tolerance, sets the two apart."""
        return self.state in ("drawn", "not there") or (self.state == "numbers" and self.apart.is_same)


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedEffect:
    """A number of an effect that is another one now; None where there is none, `share` is then infinite."""

    analysis: str
    outcome: str
    design: str
    period: str
    inference: str
    is_main: bool
    number: str
    before: float | None
    now: float | None

    @property
    def share(self) -> float:
        """The difference as a share of the larger."""
        return share_apart(self.before, self.now)


def share_apart(one: float | None, other: float | None) -> float:
    """Return by which share of the larger two numbers differ, infinity where one is none.

    >>> share_apart(2.0, 2.5), share_apart(None, None), share_apart(1e-17, 0.0)
    (0.2, 0.0, 0.0)
    """
    if one is None or other is None:
        return 0.0 if one is other else math.inf
    gap = abs(one - other)
    return 0.0 if gap <= NOTHING else gap / max(abs(one), abs(other))


def output_differences(run: FinishedRun, made: Path, outputs: Mapping[str, str]) -> tuple[OutputDifference, ...]:
    """Return every output of a run that is not the same to the byte in the folder `made`, whose hashes are `outputs`.

    Of a pack only what it carries is compared.
    """
    differing = []
    for name, digest in run.outputs.items():
        if outputs.get(name) != digest:
            differing.append(_difference(name, run.folder / name, made / name))
    new = () if run.pack else tuple(name for name in outputs if name not in run.outputs)
    return (*differing, *(OutputDifference(name=name, state="new") for name in new))


def _difference(name: str, before: Path, now: Path) -> OutputDifference:
    if not now.is_file():
        return OutputDifference(name=name, state="gone")
    if name == _PICTURES or not name.endswith(NUMBERS):
        return OutputDifference(name=name, state="drawn")
    if not before.is_file():
        return OutputDifference(name=name, state="not there")
    return OutputDifference(name=name, state="numbers", apart=apart(_cells(before), _cells(now)))


def apart(before: Mapping[str, object], now: Mapping[str, object]) -> Apart:
    """Return how far two tables of cells by their place are apart.

    >>> apart({"a": 1.0, "b": "x"}, {"a": 1.5, "b": "y"})
    Apart(n_numbers=1, largest=0.3333333333333333, where='a', n_others=1)
    """
    shares: dict[str, float] = {}
    n_others = 0
    for place in dict.fromkeys((*before, *now)):
        one, other = before.get(place), now.get(place)
        if isinstance(one, float) and isinstance(other, float):
            if one != other:
                shares[place] = share_apart(one, other)
        elif one != other:
            n_others += 1
    where = max(shares, key=lambda place: shares[place], default="")
    return Apart(n_numbers=len(shares), largest=shares.get(where, 0.0), where=where, n_others=n_others)


def _cells(path: Path) -> dict[str, object]:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            return dict(leaves(json.loads(text), ""))
    except (OSError, ValueError, RecursionError):
        return {"": Hashes().of(path)}
    rows = list(csv.reader(io.StringIO(text)))
    return {f"row {r}, column {c + 1}": _number(cell) for r, row in enumerate(rows) for c, cell in enumerate(row)}


def _number(cell: str) -> object:
    try:
        value = float(cell)
    except ValueError:
        return cell
    return value if math.isfinite(value) else cell


def leaves(value: object, place: str) -> Iterator[tuple[str, object]]:
    """Yield every value of plain data with its place; numbers as floats."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list):
        yield f"{place} (length)", float(len(value))
        for i, inner in enumerate(value):
            yield from leaves(inner, f"{place}[{i + 1}]")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield place, float(value)
    else:
        yield place, value


# Effects: each told from the others by what it is of.


def moved_effects(
    before: Mapping[str, Any] | None, now: Mapping[str, Any] | None, *, only_told: bool = False
) -> tuple[MovedEffect, ...]:
    """Return every number of an effect that differs between two records of results, those quoted first.

    With `only_told` numbers that the first does not tell are not compared: of people some are withheld.
    """
    if before is None or now is None:
        return ()
    then, made = effects_by_key(before), effects_by_key(now)
    moved = []
    for key in dict.fromkeys((*then, *made)):
        one, other = then.get(key), made.get(key)
        effect = one if one is not None else other
        assert effect is not None
        for number in _LEAVES:
            a, b = number_at(one, number), number_at(other, number)
            if share_apart(a, b) > TOLERANCE and not (only_told and a is None):
                moved.append(_moved(key, effect, number, a, b))
    return tuple(sorted(moved, key=lambda one: not one.is_main))


def _moved(
    key: tuple[str, ...], effect: Mapping[str, Any], number: str, before: float | None, now: float | None
) -> MovedEffect:
    return MovedEffect(
        analysis=key[0],
        outcome=key[1],
        design=key[2],
        period=key[3],
        inference=key[4],
        is_main=bool(effect.get("main")),
        number=number,
        before=before,
        now=now,
    )


def effects_by_key(results: Mapping[str, Any]) -> dict[tuple[str, ...], Mapping[str, Any]]:
    """Return the effects of a record of results by analysis, outcome, design, period and inference, in order."""
    found: dict[tuple[str, ...], Mapping[str, Any]] = {}
    seen: Counter[tuple[str, ...]] = Counter()
    for analysis in results.get("analyses", ()):
        for effect in analysis.get("effects", ()):
            key = (str(analysis.get("name")), *(str(effect.get(part)) for part in _KEY))
            seen[key] += 1
            found[(*key, str(seen[key]))] = effect
    return found


def number_at(effect: Mapping[str, Any] | None, number: str) -> float | None:
    """Return a number of an effect by its place, such as `interval.lower`; None where there is none."""
    value: object = effect
    for part in number.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def results_in(folder: Path) -> dict[str, Any] | None:
    """Return the record of results in a folder of outputs, None without one."""
    path = folder / RESULTS
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
