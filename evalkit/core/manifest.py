"""What a set of outputs was made from, and whether its project is still as it was then."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from evalkit.core.plan_lock import PlanKept

# What a set of outputs was made from.

DataKind = Literal["real", "synthetic"]
MEASURES_FILE: Final = "measures.yml"
"""The file beside a project file with measures that the project defines itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """One file that was read: where it lies under the data or project folder, and its SHA-256."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Everything needed to say whether a run can be repeated.

    `parameters` is the validated project as plain data; `versions` maps package to
    version; `outputs` maps each released file to its SHA-256. `key` stands for the content of everything
    that decides the outputs; it is empty where something changed while the run read it. `numerics` names the library
    for linear algebra and the kind of machine, `code` is one SHA-256 of the kit's files, `notebooks` maps each notebook
    that was executed to its SHA-256, and `shown` is the name of the data folder as the notebooks show it.
    """

    schema_version: int
    slug: str
    data_kind: DataKind
    seed: int
    parameters: dict[str, object]
    inputs: tuple[InputFile, ...]
    versions: dict[str, str]
    commit: str
    outputs: dict[str, str]
    key: str = ""
    numerics: str = ""
    code: str = ""
    notebooks: dict[str, str] = field(default_factory=dict)
    shown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What a report was made from, as its appendix shows it: no path of the machine and no date is in it.

    `parameters` is the validated project as plain data; `versions` maps package to version; `numerics` names the
    library for linear algebra and the kind of machine, on which the last digits can depend; `kept` says whether its
    plan was locked and kept.
    """

    slug: str
    data_kind: DataKind
    seed: int
    threshold: int
    parameters: dict[str, object]
    inputs: tuple[InputFile, ...]
    versions: dict[str, str]
    commit: str
    numerics: str
    kept: PlanKept = field(default_factory=PlanKept)


# What a report was made from, and whether its project is still as it was then.

State = Literal["current", "changed", "renamed", "gone", "not known"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vintage:
    """What a report was made from: version and commit of the kit, hash of its data, day, and the state of its project.

    `state` compares the project's files with those the report was made from: `current`, `changed` since, `renamed`
    where it bears another slug now, `gone`, or `not known` where it cannot be told where the project is. What is not
    known is an empty text.
    """

    kit: str = ""
    commit: str = ""
    data: str = ""
    made: str = ""
    state: State = "not known"

    @property
    def label(self) -> str:
        """Return the vintage in words: `evalkit 0.1.0, commit 1f19207, data 3fa9c1d2, 2026-11-29`."""
        commit = self.commit[:7] + (" (changed)" if "(changed)" in self.commit else "")
        parts = (("evalkit", self.kit), ("commit", commit), ("data", self.data[:8]), ("", self.made))
        label = ", ".join(f"{word} {value or 'not known'}".strip() for word, value in parts)
        return f"{label}. {STATES[self.state]}".strip() if STATES[self.state] else label


STATES: Final[dict[State, str]] = {
    "current": "",
    "changed": "Its project has changed since.",
    "renamed": "Its project has another slug now.",
    "gone": "Its project is gone.",
    "not known": "",
}
"""What is said beside a report of the state of its project."""
