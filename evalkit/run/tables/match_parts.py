"""The parts of options that are written as texts: lists of names, calipers, cutpoints."""

from __future__ import annotations

from typing import NamedTuple

from evalkit.core.errors import InputError


class Caliper(NamedTuple):
    """The width of a caliper, in SDs of its covariate or in its own units."""

    width: float
    in_units: bool


def names_of(text: str | None, option: str) -> tuple[str, ...]:
    """Return the names in `a,b`; raise `InputError` for an empty one."""
    if text is None:
        return ()
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise InputError(f"{option} {text!r} names an empty column. Give names with single commas between: a,b.")
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError(f"{option} names '{twice[0]}' twice. Name it once.")
    return names


def caliper_of(text: str) -> tuple[str, Caliper]:
    """Return the covariate and width of `age=0.2` (SDs) or `age=5units`."""
    name, mark, width = text.rpartition("=")
    in_units = width.endswith("units")
    number = _positive(width.removesuffix("units"))
    if not (mark and name.strip()) or number is None:
        raise InputError(
            f"--caliper-on {text!r}: give a covariate and a positive width, such as age=0.2 (SDs) or age=5units."
        )
    return name.strip(), Caliper(number, in_units)


def cutpoints_of(text: str) -> tuple[str, int | tuple[float, ...]]:
    """Return the covariate and bins of `age=4` (their number) or `age=8.5:11.5` (the cutpoints)."""
    name, mark, places = text.rpartition("=")
    try:
        numbers = tuple(float(part) for part in places.split(":"))
    except ValueError:
        numbers = ()
    if not (mark and name.strip() and numbers):
        raise InputError(f"--cutpoints {text!r}: give a number of bins, age=4, or cutpoints, age=8.5:11.5.")
    if len(numbers) == 1 and numbers[0] == int(numbers[0]) and ":" not in places:
        return name.strip(), int(numbers[0])
    return name.strip(), numbers


def _positive(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 < number < float("inf") else None
