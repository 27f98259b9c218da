"""`evalkit compare`: what differs between two runs, and what part of each effect's difference is due to what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evalkit.core.errors import EvalkitError
from evalkit.core.words import listed
from evalkit.run.processes.failure import environment_faults
from evalkit.run.processes.temporary import REVIEW, private_folder
from evalkit.run.review.blocks import BLOCKS, CROSSED, Block, Change, choice_changes
from evalkit.run.review.code_crossing import crossed_code
from evalkit.run.review.compared import (
    ComparedBlock,
    ComparedEffect,
    Comparison,
    EffectParts,
    quoted_effects,
    recorded_numbers,
)
from evalkit.run.review.crossing import Crosser, Key, Numbers, Side, file_block, fixed_blocks
from evalkit.run.review.differences import moved_effects, number_at
from evalkit.run.review.finished import RESULTS, FinishedRun, finished_run, refuse_within
from evalkit.run.review.materials import find_materials
from evalkit.run.review.shares import Set, crossings, merged, parts
from evalkit.run.review.verify import recorded_differences
from evalkit.run.tables.written import Output
from evalkit.run.typed_paths import data_folder, out_file

if TYPE_CHECKING:
    from evalkit.run.commands.options import Given
    from evalkit.run.console import Progress

KINDS: Final = (".html", ".docx", ".pdf", ".csv")


def compare_command(given: Given) -> int:
    """Compare two runs, say what differs, and return 0 where nothing does, 1 where something does."""
    from evalkit.run.review.compare_page import compare_answer
    from evalkit.run.tables.written import tell

    output = Output(out_file(given.out, KINDS, Path(given.run_a)), given.json, given.quiet)
    data = data_folder(given.data)
    with environment_faults("comparing"), private_folder(REVIEW) as scratch:
        runs = []
        for name, named in (("a", given.run_a), ("b", given.run_b)):
            (scratch / name).mkdir()
            runs.append(finished_run(named, scratch / name))
            refuse_within(runs[-1], output.file)
        found = comparison(runs[0], runs[1], data, scratch, output.progress, is_fresh=given.fresh)
    tell(compare_answer(found), output)
    return 0 if found.is_same else 1


def comparison(
    a: FinishedRun, b: FinishedRun, data: Path | None, scratch: Path, progress: Progress, *, is_fresh: bool = False
) -> Comparison:
    """Return two runs set side by side; choices and data that differ are crossed in `scratch`.

    With `is_fresh` code is crossed too: each run is made again with the code and packages of the other.
    """
    changes = tuple(sorted(_changes(a, b), key=lambda one: BLOCKS.index(one.block)))
    effects, notes = _recorded_effects(a, b), list(_touched(a, b))
    is_same = not changes and not moved_effects(a.results(), b.results())
    differing = [block for block in BLOCKS if any(one.block == block for one in changes)]
    blocks = [ComparedBlock(blocks=(block,)) for block in differing]
    crossed = [block for block in differing if block in CROSSED]
    sides = [Side(run=run, found=find_materials(run, None, data)) for run in (a, b)] if crossed or is_fresh else []
    if crossed:
        with progress.step(f"{b.slug}: crossing {listed(crossed)}"):
            found, effects, more = _crossed(sides, crossed, effects, scratch, progress)
        notes += more
        blocks = _with_shares(blocks, found)
    if is_fresh and "code" in differing:
        code, effects, more = crossed_code(sides, effects, scratch, progress)
        notes += more
        blocks = _with_shares(blocks, code)
    return Comparison(
        a=a.named,
        b=b.named,
        is_same=is_same,
        changes=changes,
        effects=effects,
        blocks=tuple(blocks),
        notes=tuple(notes),
    )


def _with_shares(blocks: Sequence[ComparedBlock], found: Sequence[ComparedBlock]) -> list[ComparedBlock]:
    """Return blocks with those that were crossed in the place of the same without shares."""
    taken = {block for one in found for block in one.blocks}
    rest = [one for one in blocks if one.blocks[0] not in taken]
    return sorted([*found, *rest], key=lambda one: BLOCKS.index(one.blocks[0]))


# What differs in what two runs were made from.


def _changes(a: FinishedRun, b: FinishedRun) -> Iterator[Change]:
    yield from _file_changes(a, b)
    for one in recorded_differences(a.manifest, b.manifest):
        yield Change(block="code", field=one.what, a=one.then, b=one.now)
    choices = choice_changes(a.parameters, b.parameters)
    yield from choices
    if a.slug == b.slug and not choices:
        names = [f"project/{one.project_name}" for one in (a, b)]
        if a.inputs.get(names[0]) != b.inputs.get(names[1]):
            yield Change(block="words", field=names[1], a="other remarks or layout", b="the same choices")


def _file_changes(a: FinishedRun, b: FinishedRun) -> Iterator[Change]:
    """Yield every file that was read that is not the same; of what the project file says its keys tell."""
    of_projects = {f"project/{one.project_name}" for one in (a, b)}
    for path in sorted({*a.inputs, *b.inputs} - of_projects):
        one, other = a.inputs.get(path), b.inputs.get(path)
        if one != other:
            block = file_block(path, (b if other else a).parameters)
            yield Change(block=block, field=path, a=(one or "–")[:12], b=(other or "–")[:12])


def _touched(a: FinishedRun, b: FinishedRun) -> Iterator[str]:
    for name, run in (("A", a), ("B", b)):
        if RESULTS in run.changed_since():
            yield f"{RESULTS} of {name} is not as its run left it: its effects are those of no run."


# Effects as the runs recorded them.


def _recorded_effects(a: FinishedRun, b: FinishedRun) -> tuple[ComparedEffect, ...]:
    one, other = quoted_effects(a.results()), quoted_effects(b.results())
    return tuple(_of_both(key, one.get(key), other.get(key)) for key in dict.fromkeys((*one, *other)))


def _of_both(key: Key, one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> ComparedEffect:
    """Return an effect as both runs have it; until blocks are crossed all of the difference remains."""
    found = ComparedEffect(
        analysis=key[0],
        outcome=key[1],
        a=recorded_numbers(one),
        b=recorded_numbers(other),
        n_a=_counts(one),
        n_b=_counts(other),
    )
    return replace(found, remainder=found.difference)


def _counts(effect: Mapping[str, Any] | None) -> tuple[int, int] | None:
    n = [number_at(effect, key) for key in ("n_treated", "n_comparison")]
    return (int(n[0]), int(n[1])) if n[0] is not None and n[1] is not None else None


# The difference shared out: every crossing evaluated once.

Crossed = tuple[list[ComparedBlock], tuple[ComparedEffect, ...], list[str]]


def _crossed(
    sides: Sequence[Side],
    differing: Sequence[Block],
    effects: tuple[ComparedEffect, ...],
    scratch: Path,
    progress: Progress,
) -> Crossed:
    fixed = fixed_blocks(*sides)
    notes = [
        f"The {block} of {'A' if side == 'b' else 'B'} cannot be found as it was, so those of "
        f"{'B' if side == 'b' else 'A'} stand for both; what it does is in the remainder."
        for block, side in fixed.items()
        if block in differing
    ]
    wanted = [(one.analysis, one.outcome) for one in effects]
    crosser = Crosser(a=sides[0], b=sides[1], scratch=scratch, wanted=wanted, fixed=fixed, say=progress.say)
    groups: list[Set] = [frozenset({block}) for block in differing if block not in fixed]
    for end in (frozenset[str](), frozenset[str]().union(*groups)):
        if isinstance(said := crosser.values(end), str):
            which = "B" if end else "A"
            return [], effects, [*notes, f"Nothing is attributed: {which} cannot be evaluated here. {said}"]
    groups, more = _without_failures(crosser, groups)
    values = _values(crosser, groups)
    names = [_name(group) for group in groups]
    blocks = [
        ComparedBlock(blocks=_in_order(group), effects=_parts_of(values, wanted, names, group)) for group in groups
    ]
    return blocks, tuple(_with_remainder(one, values, names) for one in effects), [*notes, *more]


def _without_failures(crosser: Crosser, groups: list[Set]) -> tuple[list[Set], list[str]]:
    """Return the blocks, those together that cannot go one without the other, and what is said of these."""
    notes: list[str] = []
    while True:
        failed: list[Set] = []
        why = ""
        for crossing in _sets(groups):
            if isinstance(said := crosser.values(crossing), str):
                failed.append(crossing)
                why = why or said
        if not failed:
            return groups, notes
        together = merged(groups, failed)
        for group in (one for one in together if one not in groups):
            notes.append(f"{_name(group).capitalize()} go together, as one cannot be run without the other: {why}")
        groups = together


def _sets(groups: Sequence[Set]) -> list[Set]:
    """Return the crossings of groups of blocks, each as a set of blocks."""
    by_name = {_name(group): group for group in groups}
    return [frozenset[str]().union(*(by_name[name] for name in one)) for one in crossings(list(by_name))]


def _values(crosser: Crosser, groups: Sequence[Set]) -> dict[Set, dict[Key, Numbers]]:
    """Return the effects of every crossing by the names of the groups in it."""
    found = {}
    for crossing in _sets(groups):
        value = crosser.values(crossing)
        if isinstance(value, str):
            raise EvalkitError(f"A crossing cannot be evaluated any more: {value}")
        found[frozenset(_name(group) for group in groups if group <= crossing)] = value
    return found


def _in_order(group: Set) -> tuple[Block, ...]:
    return tuple(block for block in BLOCKS if block in group)


def _name(group: Set) -> str:
    return " and ".join(_in_order(group))


def _parts_of(
    values: Mapping[Set, Mapping[Key, Numbers]], wanted: Sequence[Key], names: Sequence[str], group: Set
) -> tuple[EffectParts, ...]:
    made = []
    for key in wanted:
        found = {
            number.name: parts(v, names)[_name(group)] if (v := _of_number(values, key, number.name)) else None
            for number in fields(Numbers)
        }
        made.append(EffectParts(analysis=key[0], outcome=key[1], **found))
    return tuple(made)


def _of_number(values: Mapping[Set, Mapping[Key, Numbers]], key: Key, number: str) -> dict[Set, float] | None:
    """Return one number of one effect in every crossing, None where one does not give it."""
    found = {crossing: getattr(effects.get(key, Numbers()), number) for crossing, effects in values.items()}
    return None if any(value is None for value in found.values()) else found


def _with_remainder(
    effect: ComparedEffect, values: Mapping[Set, Mapping[Key, Numbers]], names: Sequence[str]
) -> ComparedEffect:
    found = _of_number(values, (effect.analysis, effect.outcome), "estimate")
    if found is None or effect.difference is None:
        return effect
    told = found[frozenset(names)] - found[frozenset()]
    left = effect.difference - told
    return effect.with_remainder(left)
