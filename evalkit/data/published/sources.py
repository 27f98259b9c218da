"""Which published files a data folder holds."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evalkit.core.errors import DataError
from evalkit.core.manifest import DataKind

SYNTHETIC_MARK: Final = "SYNTHETIC.json"
NONE_MARK: Final = "NO-PUBLISHED-FILES.json"
"""Marks the folder that stands for published files where a project reads none."""
_LISTS: Final = {"april_2021": "sn_april_2021.xlsx", "may_2025": "sn_may_2025.xlsx"}
_WIDE: Final = re.compile(r"(?P<first>\d{4})-(?P<second>\d{4})_(?P<area>[a-z0-9]+)_ks(?P<stage>[24])final\.csv")


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Paths of the published files in a data folder, by what they are.

    `panels` are assembled England panels by key stage; `tables` are national wide tables by key
    stage and summer; `county_tables` wide tables of any area, by key stage and summer; `boundaries` outlines of
    areas for the map, which no result needs.
    """

    folder: Path
    kind: DataKind
    panels: dict[str, Path]
    tables: dict[str, dict[int, Path]]
    county_tables: dict[str, dict[int, Path]]
    links: Path | None
    spine: Path | None
    neighbours: dict[str, Path]
    covariates: dict[str, Path]
    boundaries: Path | None = None

    @property
    def is_none(self) -> bool:
        """Return whether no published file is read."""
        return not self.panels and not self.neighbours and not any(self.tables.values())

    def files(self) -> tuple[Path, ...]:
        """Return every file that a run may read, in a fixed order."""
        tables = [
            path
            for by_stage in (self.tables, self.county_tables)
            for by_year in by_stage.values()
            for path in by_year.values()
        ]
        single = [path for path in (self.links, self.spine, self.boundaries) if path is not None]
        mapped = [*self.panels.values(), *self.neighbours.values(), *self.covariates.values()]
        mark = [self.folder / SYNTHETIC_MARK] if self.kind == "synthetic" else []
        return tuple(sorted({*tables, *single, *mapped, *mark}))


def no_sources(folder: Path) -> Sources:
    """Return the sources of a project that reads nothing but tables of its own."""
    empty: dict[str, dict[int, Path]] = {"KS2": {}, "KS4": {}}
    return Sources(folder, "real", {}, empty, empty, None, None, {}, {})


def find_sources(folder: Path) -> Sources:
    """Look into a data folder; raise `DataError` where it cannot be one.

    The folder is laid out as `data/README.md` describes: `panel/`, `performance-tables/ks2/`,
    `performance-tables/ks4/`, `gias/`, `lait/`. A file that a project needs and that is not there
    is missed when it is read, by name.
    """
    if not folder.is_dir():
        raise DataError(
            f"{folder}: there is no such folder. `--data` takes the folder that holds panel/, gias/ and lait/."
        )
    if (folder / NONE_MARK).exists():
        return no_sources(folder)
    panels = {
        stage: path for stage in ("KS2", "KS4") if (path := _one(folder, f"panel/{stage.lower()}_school_panel_*.csv*"))
    }
    county, national = _wide_tables(folder)
    if not panels and not any(national.values()):
        raise DataError(
            f"{folder}: no results were found. Expected panel/ks2_school_panel_….csv.gz, or the national tables "
            "performance-tables/ks2/2016-2017_england_ks2final.csv and so on. data/README.md describes the layout."
        )
    covariates = {
        stage: path
        for stage in ("KS2", "KS4")
        if (path := _one(folder, f"panel/{stage.lower()}_school_covariates.csv*"))
    }
    return Sources(
        folder=folder,
        kind=_kind(folder),
        panels=panels,
        tables=national,
        county_tables=county,
        links=_one(folder, "gias/links_*.csv"),
        spine=_one(folder, "gias/england_spine_*.csv"),
        neighbours={name: folder / "lait" / file for name, file in _LISTS.items()},
        covariates=covariates,
        boundaries=_one(folder, "boundaries.geojson"),
    )


def _one(folder: Path, pattern: str) -> Path | None:
    paths = sorted(folder.glob(pattern))
    if len(paths) > 1:
        names = " and ".join(path.name for path in paths)
        raise DataError(f"{folder}: {names} are the same kind of file. Keep the one this evaluation should read.")
    return paths[0] if paths else None


def _wide_tables(folder: Path) -> tuple[dict[str, dict[int, Path]], dict[str, dict[int, Path]]]:
    """Return the wide tables of single areas and those of England, by key stage and summer."""
    county: dict[str, dict[int, Path]] = {"KS2": {}, "KS4": {}}
    national: dict[str, dict[int, Path]] = {"KS2": {}, "KS4": {}}
    for path in sorted(folder.glob("performance-tables/ks[24]/*final.csv")):
        if (match := _WIDE.fullmatch(path.name)) is None:
            continue
        tables = national if match["area"] == "england" else county
        tables[f"KS{match['stage']}"].setdefault(int(match["second"]), path)
    return county, national


def _kind(folder: Path) -> DataKind:
    mark = folder / SYNTHETIC_MARK
    if not mark.exists():
        return "real"
    try:
        content = json.loads(mark.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        content = {}
    if not isinstance(content, dict) or content.get("kind") != "synthetic":
        raise DataError(
            f"{mark.name}: the file should say that these data are synthetic, and does not. Generate them again."
        )
    return "synthetic"
