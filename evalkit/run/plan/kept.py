"""Whether a run kept to the locked plan: every field that differs, what was planned, what was used, and the reason."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evalkit.core.plan_lock import Deviation, EarlierLock, PlanKept, PlanLock
from evalkit.core.project_parts import ExplainedDeviation
from evalkit.core.words import counted
from evalkit.data.lock_file import read_plan_lock
from evalkit.run.outputs.hashes import Hashes
from evalkit.run.plan.frozen import frozen
from evalkit.run.plan.timestamp import read_answer

if TYPE_CHECKING:
    from evalkit.core.project import Project
    from evalkit.data.published.sources import Sources
    from evalkit.design.analysis_plan import ProjectDesign

PROJECT_FILE: Final = "Project file"
SAMPLE: Final = "Pool and sample"
CODE: Final = "Code"
VERSIONS: Final = "Versions"
DATA: Final = "Data"
PLAN: Final = "Plan"
NOT_IN_PLAN: Final = "Not in the plan"
NOT_USED: Final = "Not there"
_SAME: Final = 1e-9
"""Numbers this near to each other, relatively, are the same: other processors take sums in another order."""
_SHOWN_OF_HASH: Final = 12
_MOST_SHOWN: Final = 80


def plan_kept(project: Project, project_file: Path, sources: Sources, design: ProjectDesign) -> PlanKept:
    """Return the lock of a project's plan and every deviation from it; raise `InputError` where its seal is broken."""
    locked = read_plan_lock(project_file.parent, project.slug)
    if locked is None:
        return PlanKept()
    used = frozen(project, project_file, sources, design)
    found = list(_deviations(locked, used, project_file.parent))
    explained = [_explained(one, project.plan.deviations) for one in found]
    later = sorted(set(used["inputs"]) - set(locked["inputs"])) if locked["data_kind"] == used["data_kind"] else []
    return PlanKept(
        lock=lock_of(locked),
        deviations=tuple(explained),
        came_later=tuple(later),
        idle=tuple(one.field for one in project.plan.deviations if not any(_covers(one, each) for each in found)),
    )


def lock_of(locked: Mapping[str, Any]) -> PlanLock:
    """Return the noun of a lock whose seal holds; its time stamp is looked at again."""
    stamp = locked.get("timestamp")
    return PlanLock(
        locked=str(locked["locked"]),
        seal=str(locked["seal"]),
        earlier=tuple(
            EarlierLock(seal=one["seal"], locked=one["locked"], reason=one["reason"]) for one in locked["amends"]
        ),
        timestamp=None
        if stamp is None
        else read_answer(bytes.fromhex(stamp["answer"]), locked["seal"], stamp["service"]),
        tag=str(locked.get("tag", "")),
        at_hand=tuple(locked["outcomes_at_hand"]),
        reports=tuple(locked["reports_before"]),
    )


def _deviations(locked: Mapping[str, Any], used: Mapping[str, Any], folder: Path) -> Iterator[Deviation]:
    yield from _differing(PROJECT_FILE, flat(locked["parameters"]), flat(used["parameters"]))
    yield from _differing(SAMPLE, flat(locked["design"], "design"), flat(used["design"], "design"))
    if locked["code"]["sha256"] != used["code"]["sha256"]:
        yield from _differing(CODE, flat(locked["code"], "code"), flat(used["code"], "code"))
    yield from _differing(VERSIONS, flat(locked["versions"], "versions"), flat(used["versions"], "versions"))
    yield from _differing(VERSIONS, {"numerics": locked["numerics"]}, {"numerics": used["numerics"]})
    yield from _of_data(locked, used)
    now = {name: _digest(folder / name) for name in locked["plan"]}
    yield from _differing(PLAN, locked["plan"], now)


def _of_data(locked: Mapping[str, Any], used: Mapping[str, Any]) -> Iterator[Deviation]:
    if locked["data_kind"] != used["data_kind"]:  # then every file differs, and one line says why
        yield Deviation(block=DATA, field="data_kind", planned=locked["data_kind"], used=used["data_kind"])
        return
    planned = locked["inputs"]
    yield from _differing(DATA, planned, {path: used["inputs"].get(path) for path in planned})


def _digest(path: Path) -> str | None:
    return Hashes().of(path) if path.is_file() else None


def _differing(block: str, planned: Mapping[str, Any], used: Mapping[str, Any]) -> Iterator[Deviation]:
    """Yield a deviation for each field that is not the same in both; one that is not there is absent, or None."""
    for field in dict.fromkeys((*planned, *used)):
        one, other = planned.get(field), used.get(field)
        if not _is_same(one, other):
            if isinstance(one, list) and isinstance(other, list) and max(len(one), len(other)) > 3:
                yield Deviation(block=block, field=field, **_of_lists(one, other))
            else:
                yield Deviation(block=block, field=field, planned=_text(one, NOT_IN_PLAN), used=_text(other, NOT_USED))


def flat(value: object, key: str = "") -> dict[str, object]:
    """Return nested plain data by dotted keys: mappings are gone into, lists of mappings are numbered from 1.

    >>> flat({"a": {"b": 1}, "c": [{"d": 2}], "e": [3, 4]})
    {'a.b': 1, 'c.1.d': 2, 'e': [3, 4]}
    """
    return dict(_flat(value, key))


def _flat(value: object, key: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _flat(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list) and any(isinstance(inner, Mapping) for inner in value):
        for number, inner in enumerate(value, 1):
            yield from _flat(inner, f"{key}.{number}")
    else:
        yield key, value


def _is_same(one: object, other: object) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=_SAME)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return one == other


def _of_lists(planned: Sequence[object], used: Sequence[object]) -> dict[str, str]:
    """Return two long lists in words: how many entries each has, and how many of them the other lacks."""
    first, second = ([json.dumps(one, sort_keys=True) for one in each] for each in (planned, used))
    gone, come = len(set(first) - set(second)), len(set(second) - set(first))
    return {
        "planned": f"{counted(len(first), 'entry', 'entries')}, {gone} of them not used",
        "used": f"{counted(len(second), 'entry', 'entries')}, {come} of them not planned",
    }


def _text(value: object, without: str) -> str:
    """Return a value as a cell of a table, short; a hash by its beginning."""
    if value is None or value == "":
        return without if value is None else "Empty"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))[:_MOST_SHOWN] or "None"
    text = str(value)
    if len(text) in (40, 64) and set(text) <= set("0123456789abcdef"):
        return f"{text[:_SHOWN_OF_HASH]}…"
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 1]}…"


def _covers(reason: ExplainedDeviation, deviation: Deviation) -> bool:
    """Return whether a reason is for a deviation: for its field, or for one that it lies below."""
    return deviation.field == reason.field or deviation.field.startswith(f"{reason.field}.")


def _explained(deviation: Deviation, reasons: Sequence[ExplainedDeviation]) -> Deviation:
    """Return a deviation with the reason given for it, the one for the longest field that covers it."""
    fitting = sorted((one for one in reasons if _covers(one, deviation)), key=lambda one: len(one.field))
    return replace(deviation, reason=fitting[-1].reason) if fitting else deviation
