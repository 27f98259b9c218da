"""Two runs each made again with the code and the packages of the other: what code has of the difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.run.review.again import Kit, kit_afresh, make_again
from evalkit.run.review.compared import ComparedBlock, ComparedEffect, EffectParts, quoted_effects, recorded_numbers
from evalkit.run.review.crossing import Key, Numbers, Side
from evalkit.run.review.differences import results_in
from evalkit.run.review.materials import lay_out
from evalkit.run.review.shares import MUCH, BlockShare

if TYPE_CHECKING:
    from evalkit.run.console import Progress

CodeCrossed = tuple[list[ComparedBlock], tuple[ComparedEffect, ...], list[str]]


def crossed_code(
    sides: Sequence[Side], effects: tuple[ComparedEffect, ...], scratch: Path, progress: Progress
) -> CodeCrossed:
    """Return what code has of each difference, the effects with what then remains, and what is to be said of it.

    Changed first it has A's run with B's code less A; changed last, B less B's run with A's; the mean is its share.
    Raises what `kit_afresh` does.
    """
    made: list[dict[Key, Numbers]] = []
    for at, (side, other) in enumerate(zip(sides, sides[::-1], strict=True)):
        place = scratch / f"code-{at}"
        place.mkdir()
        kit = kit_afresh(other.run, place, progress)
        found, why = _made_with(side, kit, place, progress)
        if why:
            said = f"Code is not crossed, and is in the remainder: {'AB'[at]} could not be run with the other's. {why}"
            return [], effects, [said]
        made.append(found)
    block = ComparedBlock(blocks=("code",), effects=tuple(_parts(one, made[0], made[1]) for one in effects))
    return [block], tuple(_left(one, of) for one, of in zip(effects, block.effects, strict=True)), []


def _made_with(side: Side, kit: Kit, place: Path, progress: Progress) -> tuple[dict[Key, Numbers], str]:
    """Return the quoted effects of a run made again by a kit, or why there are none."""
    others = [one.path for one in side.found.files if not one.is_same and one.state != "from the manifest"]
    if others:
        return {}, f"Not there as the run read them: {', '.join(others)}."
    remade = make_again(side.run, lay_out(side.run, side.found, place / "space"), kit, progress)
    if remade.folder is None:
        return {}, remade.failure
    quoted: Mapping[Key, Mapping[str, object]] = quoted_effects(results_in(remade.folder))
    return {key: recorded_numbers(effect) for key, effect in quoted.items()}, ""


def _parts(effect: ComparedEffect, of_a: Mapping[Key, Numbers], of_b: Mapping[Key, Numbers]) -> EffectParts:
    key = (effect.analysis, effect.outcome)
    a_with_b, b_with_a = of_a.get(key, Numbers()), of_b.get(key, Numbers())
    shares = {
        one.name: _share(*(getattr(numbers, one.name) for numbers in (effect.a, a_with_b, b_with_a, effect.b)))
        for one in fields(Numbers)
    }
    return EffectParts(analysis=effect.analysis, outcome=effect.outcome, **shares)


def _share(a: float | None, a_with_b: float | None, b_with_a: float | None, b: float | None) -> BlockShare | None:
    """Return what code has of b − a; None where a number is not given.

    >>> _share(1.0, 1.5, 2.0, 2.25)
    BlockShare(share=0.375, first_in=0.5, last_in=0.25, depends_on_order=True)
    """
    if a is None or a_with_b is None or b_with_a is None or b is None:
        return None
    first, last = a_with_b - a, b - b_with_a
    is_other = abs(first - last) > MUCH * abs(b - a)
    return BlockShare(share=(first + last) / 2, first_in=first, last_in=last, depends_on_order=is_other)


def _left(effect: ComparedEffect, of: EffectParts) -> ComparedEffect:
    if of.estimate is None or effect.remainder is None:
        return effect
    return effect.with_remainder(effect.remainder - of.estimate.share)
