"""Every combination of the choices that a project declares, each as a project that makes it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from itertools import product
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from evalkit.core.project import Analysis, Project
from evalkit.core.project_parts import Choices
from evalkit.core.words import did_you_mean, listed
from evalkit.run.kinds.registry import Kind, Variation, kind_of
from evalkit.run.project.plain_yaml import Complaint, Place

MOST: Final = 20_000
"""Specifications of a curve, beyond which the choices are to be narrowed."""
GROUPS: Final = ("pool", "matching", "estimation", "exposure")
"""Groups of keys of a project file in which choices can be varied."""
_ESTIMAND: Final = ("partial", "post")


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice: its name as declared, the analysis it is of alone (or None), and the keys that lead to it.

    Of an axis of a kind `keys` is empty, and `name` that of the axis.
    """

    name: str
    analysis: str | None
    keys: tuple[str, ...]
    options: tuple[Any, ...]


def curve_analyses(project: Project, choices: Choices) -> tuple[Analysis, ...]:
    """Return the analyses whose estimates are in a curve, that of the headline where none is named."""
    named = choices.analyses or (project.primary_analysis.name,)
    return tuple(one for one in project.analyses if one.name in named)


def curve_outcome(project: Project, choices: Choices) -> str:
    """Return the code of the outcome of a curve."""
    return choices.outcome or project.primary.code


def choices_of(project: Project, choices: Choices) -> tuple[Choice, ...]:
    """Return every declared choice with its options as what they are: a project file is valid if it has these."""
    made = []
    for name, options in choices.vary.items():
        choice = _choice(project, choices, name, options)
        made.append(replace(choice, options=tuple(_typed(project, choice, one) for one in options)))
    return tuple(made)


def variations(project: Project, choices: Choices) -> tuple[Variation, ...]:
    """Return every specification: for each analysis the full crossing of its choices, less what is impossible.

    They stand in the order of the file, the first choice varying slowest.
    """
    every = choices_of(project, choices)
    return tuple(
        variation
        for analysis in curve_analyses(project, choices)
        for variation in _of_analysis(project, choices, analysis, every)
    )


def _of_analysis(
    project: Project, choices: Choices, analysis: Analysis, every: Sequence[Choice]
) -> Iterator[Variation]:
    own = [at for at, one in enumerate(every) if _bears_on(one, analysis)]
    now = {at: _now(project, analysis, every[at]) for at in own}
    barred = [_barred(every, one) for one in choices.impossible]
    first = curve_analyses(project, choices)[0].name
    bare = replace(analysis, outcomes=(curve_outcome(project, choices),), by=(), families=(), primary=True)
    base = replace(project, by=(), families=(), contrasts=(), choices=None)
    for taken in product(*(range(len(every[at].options)) for at in own)):
        options = dict(zip(own, taken, strict=True))
        if any(_is_in(one, options) for one in barred):
            continue
        whole, one, axes = base, bare, {}
        for at, option in options.items():
            choice, value = every[at], every[at].options[option]
            if not choice.keys:
                axes[choice.name.rpartition(".")[2]] = value
            elif choice.analysis is None:
                whole = _set(whole, choice.keys, value)
            else:
                one = replace(one, options=_set(_options_of(one, whole, choice.keys), choice.keys, value))
        yield Variation(
            project=replace(whole, analyses=(one,)),
            analysis=one,
            axes=axes,
            options=tuple(options.get(at, -1) for at in range(len(every))),
            is_locked=analysis.name == first and all(every[at].options[i] == now[at] for at, i in options.items()),
        )


def _is_in(barred: Mapping[int, int], options: Mapping[int, int]) -> bool:
    return all(options.get(at) == option for at, option in barred.items())


def _barred(every: Sequence[Choice], impossible: Mapping[str, Any]) -> dict[int, int]:
    """Return an impossible combination by the numbers of its choices and their options."""
    found = {}
    for name, value in impossible.items():
        at = next(at for at, one in enumerate(every) if one.name == name)
        found[at] = [_plain(one) for one in every[at].options].index(_plain(value))
    return found


def _bears_on(choice: Choice, analysis: Analysis) -> bool:
    """Return whether a choice is one of an analysis: its own, or one of the project's that its kind takes."""
    kind = kind_of(analysis.kind)
    if choice.analysis is not None:
        return choice.analysis == analysis.name
    if not choice.keys:
        return choice.name in kind.axes
    group = choice.keys[0]
    return group in kind.inherits or (group == "exposure" and kind.uses_exposure)


def _now(project: Project, analysis: Analysis, choice: Choice) -> Any:
    """Return the option that the project file takes of a choice."""
    if not choice.keys:
        return kind_of(analysis.kind).axes[choice.name.rpartition(".")[2]][0]
    held: Any = project if choice.analysis is None else _options_of(analysis, project, choice.keys)
    for key in choice.keys:
        held = getattr(held, key)
    return held


def _options_of(analysis: Analysis, project: Project, keys: Sequence[str]) -> Any:
    """Return the options of an analysis, the group that `keys` lead to filled in from the project where absent."""
    options = kind_of(analysis.kind).options() if analysis.options is None else analysis.options
    if len(keys) > 1 and getattr(options, keys[0]) is None:
        options = replace(options, **{keys[0]: getattr(project, keys[0])})
    return options


def _set(held: Any, keys: Sequence[str], value: Any) -> Any:
    inner = value if len(keys) == 1 else _set(getattr(held, keys[0]), keys[1:], value)
    return replace(held, **{keys[0]: inner})


# What a choice is called, and of what type its options are.


def _choice(project: Project, choices: Choices, name: str, options: Sequence[Any]) -> Choice:
    """Return a declared choice by its name, or raise `ValueError` with what is wrong with it."""
    first, *rest = name.split(".")
    every = curve_analyses(project, choices)
    if first in GROUPS and rest:
        return _of_project(every, name, (first, *rest), options)
    if not rest and any(first in kind_of(one.kind).axes for one in every):
        return Choice(name, None, (), tuple(options))
    analysis = next((one for one in every if one.name == first), None)
    if analysis is None or not rest:
        raise ValueError(_no_choice(name, every))
    if len(rest) == 1 and rest[0] in kind_of(analysis.kind).axes:
        return Choice(name, first, (), tuple(options))
    if rest[0] == "exposure" and rest[1:2] != ["pre"]:
        raise ValueError(_OTHER_ESTIMAND)
    return Choice(name, first, tuple(rest), tuple(options))


_OTHER_ESTIMAND: Final = (
    "a curve is of one estimand, and another year after the programme is another. Of `exposure` only `pre` can be "
    "varied"
)


def _of_project(every: Sequence[Analysis], name: str, keys: tuple[str, ...], options: Sequence[Any]) -> Choice:
    if keys[0] == "exposure" and keys[1] != "pre":
        raise ValueError(_OTHER_ESTIMAND)
    choice = Choice(name, None, keys, tuple(options))
    takers = [one for one in every if _bears_on(choice, one)]
    if not takers:
        raise ValueError(
            f"no analysis of the curve takes `{keys[0]}` from the project. Name one of its own, as `NAME.key`"
        )
    own = [one.name for one in takers if getattr(one.options, keys[0], None) is not None]
    if own:
        raise ValueError(
            f"'{own[0]}' has a `{keys[0]}` of its own, which this would not move. Say `{own[0]}.{name}` instead"
        )
    return choice


def _no_choice(name: str, every: Sequence[Analysis]) -> str:
    axes = [axis for one in every for axis in kind_of(one.kind).axes]
    known = [*(f"{group}.…" for group in GROUPS), *dict.fromkeys(axes), *(f"{one.name}.…" for one in every)]
    near = did_you_mean(name.partition(".")[0], [*GROUPS, *axes, *(one.name for one in every)])
    return f"`{name}` is no choice of this project.{near} There are: {listed(known, 20)}"


def _typed(project: Project, choice: Choice, value: Any) -> Any:
    """Return an option as the project would hold it; `ValueError` says what is wrong with it."""
    if not choice.keys:
        return _axis(project, choice, value)
    holder = Project if choice.analysis is None else _kind_by_name(project, choice.analysis).options
    adapter = _adapter(holder, choice.keys, choice.name)
    try:
        return adapter.validate_json(json.dumps(_plain(value)), strict=True)
    except ValidationError as problem:
        told = problem.errors(include_url=False)[0]["msg"]
        raise ValueError(f"{_plain(value)!r} is none of its values: {told[:1].lower()}{told[1:]}") from problem


def _axis(project: Project, choice: Choice, value: Any) -> str:
    name = choice.name.rpartition(".")[2]
    kinds = [kind_of(one.kind) for one in project.analyses]
    known = next(kind.axes[name] for kind in kinds if name in kind.axes)
    if value not in known:
        near = did_you_mean(str(value), known)
        raise ValueError(f"'{value}' is no `{name}`.{near} There are: {listed([*known], 20)}")
    return str(value)


def _kind_by_name(project: Project, analysis: str) -> Kind:
    return kind_of(next(one.kind for one in project.analyses if one.name == analysis))


@cache
def _adapter(holder: type, keys: tuple[str, ...], name: str) -> TypeAdapter[Any]:
    """Return what reads the value at the end of a path of keys; `ValueError` where there is no such key."""
    for at, key in enumerate(keys):
        known = [one.name for one in fields(holder)]
        if key not in known:
            raise ValueError(f"`{name}`: there is no key `{key}`.{did_you_mean(key, known)} There are: {listed(known)}")
        hint = get_type_hints(holder)[key]
        if at == len(keys) - 1:
            return TypeAdapter(hint)
        groups = [one for one in _parts(hint) if isinstance(one, type) and is_dataclass(one)]
        if not groups:
            raise ValueError(f"`{name}`: `{key}` has no keys of its own")
        holder = groups[0]
    raise ValueError(f"`{name}` names no key")


def _parts(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _plain(value: Any) -> Any:
    """Return a value as YAML would hold it: lists instead of tuples."""
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return value


# What can be said against the choices from the project file alone.


def choice_complaints(project: Project) -> Iterator[Complaint]:
    """Yield what is wrong with the declared choices, all of it at once."""
    choices = project.choices
    if choices is None:
        return
    told = [*_named_wrongly(project, choices)]
    yield from told
    if told:
        return
    faults = [*_wrong_options(project, choices)]
    yield from (Complaint(("choices", *place), text) for place, text in faults)
    if not faults:
        yield from _wrong_universe(project, choices)


def _named_wrongly(project: Project, choices: Choices) -> Iterator[Complaint]:
    names, codes = [one.name for one in project.analyses], [one.code for one in project.outcomes]
    for at, name in enumerate(choices.analyses):
        if name not in names:
            text = f"no analysis is called '{name}'.{did_you_mean(name, names)} There are: {listed(names)}"
            yield Complaint(("choices", "analyses", at), text)
    if choices.outcome is not None and choices.outcome not in codes:
        near = did_you_mean(choices.outcome, codes)
        yield Complaint(
            ("choices", "outcome"), f"'{choices.outcome}' is not among the outcomes: {listed(codes)}.{near}"
        )
    if sum(one.primary for one in project.analyses) != 1:
        yield Complaint(("choices",), "a curve marks the choices of the primary analysis, and exactly one must be so")


def _wrong_options(project: Project, choices: Choices) -> Iterator[tuple[Place, str]]:
    if not choices.vary:
        yield ("vary",), "no choice is varied: name at least one with two options"
    for name, options in choices.vary.items():
        place: Place = ("vary", name)
        try:
            choice = _choice(project, choices, name, options)
            typed = [_typed(project, choice, one) for one in options]
        except ValueError as problem:
            yield place, str(problem)
            continue
        if len(typed) < 2 or any(one in typed[:at] for at, one in enumerate(typed)):
            yield place, "a choice has at least two options, each once"
        yield from ((place, text) for text in _years_unread(project, choice, typed))
    for at, impossible in enumerate(choices.impossible):
        for name, value in impossible.items():
            known = choices.vary.get(name)
            if known is None or _plain(value) not in [_plain(one) for one in known]:
                yield ("impossible", at), f"`{name}: {_plain(value)}` is not among the choices that are varied"


def _years_unread(project: Project, choice: Choice, options: Sequence[Any]) -> Iterator[str]:
    """Yield what is wrong with options for the years before: a plan is made of those that the project reads."""
    if choice.keys[-2:] != ("exposure", "pre"):
        return
    own = next((one for one in project.analyses if one.name == choice.analysis), None)
    read = set((project.exposure if own is None else project.exposure_of(own)).pre)
    for years in options:
        if not years or not set(years) <= read:
            yield (
                f"{listed([*map(str, years)]) or 'no year'} is not among the years before that the project reads "
                f"({listed([*map(str, sorted(read))])}). Name some of these"
            )


def _wrong_universe(project: Project, choices: Choices) -> Iterator[Complaint]:
    number = _upper(project, choices)
    if number > MOST:
        yield Complaint(
            ("choices", "vary"),
            f"{number:,} combinations are more than {MOST:,}. Leave out options that change nothing of interest",
        )
        return
    every = variations(project, choices)
    if not any(one.is_locked for one in every):
        yield Complaint(
            ("choices", "vary"),
            "the project's own choices are not among the combinations, so that they could not be marked on the curve. "
            "Let each choice have the option that the project takes",
        )


def _upper(project: Project, choices: Choices) -> int:
    """Return how many combinations there are, the impossible ones counted."""
    every, total = choices_of(project, choices), 0
    for analysis in curve_analyses(project, choices):
        sizes = [len(one.options) for one in every if _bears_on(one, analysis)]
        number = 1
        for size in sizes:
            number *= size
        total += number
    return total
