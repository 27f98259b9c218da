"""What a set of outputs was made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DataKind = Literal["real", "synthetic"]


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
    that decides the outputs; it is empty where something changed while the run read it.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What a report was made from, as its appendix shows it: no path of the machine and no date is in it.

    `parameters` is the validated project as plain data; `versions` maps package to version; `numerics` names the
    library for linear algebra and the kind of machine, on which the last digits can depend.
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
