"""Which block every key of a project file belongs to, and what differs between two runs, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from evalkit.core.errors import EvalkitError

Block = Literal["data", "code", "sample", "comparison", "outcome and years", "method", "inference", "words"]
BLOCKS: Final[tuple[Block, ...]] = (
    "data", "code", "sample", "comparison", "outcome and years", "method", "inference", "words",
)  # fmt: skip
"""In the order in which they are told and, where there are many, changed. No number depends on `words`."""
CROSSED: Final[tuple[Block, ...]] = ("data", "sample", "comparison", "outcome and years", "method", "inference")
"""Blocks that the kit crosses by itself; what code and packages do is what remains."""
Path = tuple[str, ...]
_ABSENT: Final = object()

_OF_KEYS: Final[Mapping[Block, str]] = {
    "words": """
        schema_version slug title question authors commissioner date cost claims reference_document notebooks
        disclosure.threshold plan programme.name programme.place programme.funder programme.aim programme.theme
        programme.description programme.sources participants.known_participants participants.why_whole_area
        analyses.name analyses.plan analyses.plural
    """,
    "data": "data.folder data.kind data.tables data.borders",
    "sample": """
        participants.file participants.trust participants.areas participants.draw participants.rule
        pool.minor_groups pool.require_all_years pool.minimum_treated by analyses.by analyses.unknown_dose
    """,
    "comparison": """
        pool.neighbours pool.alternative_neighbours pool.exclude_areas pool.exclude_regions pool.match
        matching.ratio matching.covariates matching.exact_region contamination
        analyses.series.neighbours analyses.comparison analyses.against analyses.comparison_take_up
        analyses.matched.method analyses.matched.covariates analyses.exact analyses.anti_exact
        analyses.matched.categories analyses.matched.missing analyses.distance analyses.ratio analyses.replace
        analyses.caliper analyses.caliper_on analyses.order analyses.reuse analyses.fewest analyses.most
        analyses.within_first analyses.mahalanobis_on analyses.common_support analyses.cutpoints analyses.one_to_one
        analyses.subclasses analyses.tolerance analyses.moments analyses.trim
    """,
    "outcome and years": """
        outcomes exposure.pre exposure.partial exposure.post contrasts programme.start programme.end
        participants.first_year analyses.outcomes analyses.without_years analyses.since analyses.until
        analyses.column analyses.per analyses.threshold analyses.transitions.categories analyses.pre_score
        analyses.anticipation analyses.balanced_until
    """,
    "method": """
        analyses.kind analyses.primary analyses.choices choices estimation.base estimation.weights
        effect_sizes.months_table missing.bounds missing.imputation missing.tipping missing.suppressed
        analyses.estimate analyses.estimand analyses.method analyses.covariates analyses.area_effects analyses.model
        analyses.shock analyses.weights analyses.likelihood analyses.slope analyses.estimator analyses.base_period
        analyses.unbalanced analyses.several analyses.nu analyses.nodes analyses.links analyses.matrix
        analyses.answers analyses.scales analyses.points analyses.waves analyses.linked analyses.of_schools
        analyses.known analyses.ratings analyses.rater
    """,
    "inference": """
        seed families analyses.families inference.level inference.statistic pool.minimum_area_schools
        analyses.bootstrap analyses.draw analyses.cluster analyses.placebo analyses.draws
    """,
}
_BLOCK_OF: Final[dict[str, Block]] = {key: block for block, keys in _OF_KEYS.items() for key in keys.split()}
"""A key with dots, below `analyses` as every kind has it or as one kind has it; what stands below a key is with it."""
_PARTS: Final = (
    "pool",
    "matching",
    "estimation",
    "inference",
    "effect_sizes",
    "exposure",
    "contrasts",
    "contamination",
)
"""Keys of an analysis that mean what they mean in the project."""


def block_of(path: Path, kind: str = "") -> Block:
    """Return the block of a key of a project file by its path, of an analysis of a `kind` by its path in that.

    >>> block_of(("pool", "neighbours")), block_of(("analyses", "covariates"), "matched")
    ('comparison', 'comparison')

    Raises
    ------
    EvalkitError
        If the key belongs to none: a key that is new to project files has to be given one here.
    """
    for names in _namings(path, kind):
        for n in range(len(names), 0, -1):
            key = ".".join(names[:n])
            if key in _BLOCK_OF:
                return _BLOCK_OF[key]
    raise EvalkitError(f"`{'.'.join(path)}` belongs to no block of `evalkit compare`; please report this.")


def _namings(path: Path, kind: str) -> Iterator[Path]:
    """Yield the paths under which a key may be listed, that of its own kind of analysis first."""
    if path[0] != "analyses":
        yield path
        return
    if path[1] in _PARTS:
        yield path[1:]
        return
    yield ("analyses", kind, *path[1:])
    yield path


# What differs between two projects.


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is not the same in two runs (a key, a file, a package), its block, and both values in words."""

    block: Block
    field: str
    a: str
    b: str


def flat(parameters: Mapping[str, Any]) -> dict[Path, Any]:
    """Return the parameters of a project by path: lists as they are, but analyses by their names."""
    held = {key: value for key, value in parameters.items() if key != "analyses"}
    named = {str(one["name"]): one for one in parameters.get("analyses", ())}
    return {**dict(_leaves(held, ())), **dict(_leaves(named, ("analyses",)))}


def _leaves(value: object, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    else:
        yield path, value


def block_at(path: Path, a: Mapping[str, Any], b: Mapping[str, Any]) -> Block:
    """Return the block of a path of `flat`; an analysis of one project alone, or of two kinds, is one of method."""
    if path[0] != "analyses":
        return block_of(path)
    kinds = {_kind(path[1], one) for one in (a, b)}
    if len(kinds) > 1 or len(path) < 3:
        return "method"
    try:
        return block_of(("analyses", *path[2:]), kinds.pop())
    except EvalkitError:  # an option of a kind from outside this kit, of which nobody else knows more
        return "method"


def _kind(name: str, parameters: Mapping[str, Any]) -> str:
    return next((str(one["kind"]) for one in parameters.get("analyses", ()) if one["name"] == name), "")


def choice_changes(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return every key of a project file that has another value in two projects."""
    one, other = flat(a), flat(b)
    paths = [path for path in dict.fromkeys((*one, *other)) if one.get(path, _ABSENT) != other.get(path, _ABSENT)]
    return tuple(
        Change(
            block=block_at(path, a, b),
            field=".".join(path),
            a=_said(one.get(path, _ABSENT)),
            b=_said(other.get(path, _ABSENT)),
        )
        for path in paths
    )


def _said(value: object) -> str:
    if value is _ABSENT or value is None or value == "" or value == []:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_said(one)}" for key, one in value.items() if one not in (None, "", []))
    if isinstance(value, list):
        return ", ".join(_said(one) for one in value)
    return str(value)


def mixed(a: Mapping[str, Any], b: Mapping[str, Any], of_b: frozenset[str]) -> dict[str, Any]:
    """Return the parameters of a project that has some blocks from `b` and the others from `a`."""
    one, other = flat(a), flat(b)
    made: dict[str, Any] = {}
    for path in dict.fromkeys((*one, *other)):
        source = other if block_at(path, a, b) in of_b else one
        if path in source:
            _put(made, path, source[path])
    named = made.get("analyses", {})
    order = [str(each["name"]) for each in (b if "method" in of_b else a).get("analyses", ())]
    made["analyses"] = [named[name] for name in sorted(named, key=lambda name: order.index(name))]
    return made


def _put(made: dict[str, Any], path: Path, value: object) -> None:
    at = made
    for key in path[:-1]:
        inner = at.setdefault(key, {})
        if not isinstance(inner, dict):  # nothing, where the other project has a group of keys
            inner = at[key] = {}
        at = inner
    if not (isinstance(at.get(path[-1]), dict) and not value):
        at[path[-1]] = value
