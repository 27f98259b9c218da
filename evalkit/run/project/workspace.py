"""Where projects, notebooks, data and outputs are; files of a project never lie outside its folder."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final

from evalkit.core.errors import InputError
from evalkit.core.words import did_you_mean, listed
from evalkit.data.synthetic_edition import DEFAULT_SEED, GENERATOR_VERSION

SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_RESERVED: Final = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")


def is_slug(text: str) -> bool:
    """Return whether a text can name a project and its outputs folder on every system."""
    return bool(SLUG.fullmatch(text)) and not _RESERVED.fullmatch(text)


def complaint_about(folder: Path, name: str) -> str:
    """Return why a file name in a project file cannot be used, or an empty text."""
    if not name.strip():
        return "the name of the file is empty"
    parts = (*PurePosixPath(name).parts, *PureWindowsPath(name).parts)
    is_absolute = PurePosixPath(name).is_absolute() or bool(PureWindowsPath(name).anchor)
    if is_absolute or ".." in parts or name.startswith("~"):
        return f"'{name}' leads out of the project's folder. Put the file beside the project file and name it alone"
    home = folder.resolve()
    if not (folder / name).resolve().is_relative_to(home):
        return f"'{name}' is a link that leads out of the project's folder. Put the file itself there"
    if not (folder / name).exists():
        return f"'{name}' is missing: there is no such file in the project's folder"
    return "" if (folder / name).is_file() else f"'{name}' is not a file"


# Where projects, notebooks, data and outputs are.

SOURCE_ROOT: Final = Path(__file__).resolve().parents[3]
"""The folder that holds the package: the source checkout, or site-packages."""
NOTEBOOKS: Final = ("1_design", "3_review", "0_summary", "4_reproducibility")
"""Notebooks of every project in the order in which they are executed; those of its analyses come after the first."""


def find_workspace(start: Path | None = None) -> Path:
    """Return the nearest folder at or above `start` (the current one) with data/projects, else the source checkout."""
    start_folder = (start or Path.cwd()).absolute()
    for folder in (start_folder, *start_folder.parents, SOURCE_ROOT):
        if (folder / "data" / "projects").is_dir():
            return folder
    raise InputError(
        f"There is no folder data/projects in {start_folder} or above it. "
        "Go to the folder of your projects, or give the path of a project.yml."
    )


def project_file(name: str, start: Path | None = None) -> Path:
    """Return the file that PROJECT means: a slug under data/projects, or a path to a project.yml or its folder."""
    if name.endswith((".yml", ".yaml")) or os.sep in name or (os.altsep or os.sep) in name:
        path = Path(name).expanduser().absolute()
        path = path / "project.yml" if path.is_dir() else path
        if not path.is_file():
            raise InputError(f"{name}: there is no such project file. Give the path of a project.yml, or a slug.")
        return path
    slugs = project_slugs(start)
    if name in slugs:
        return find_workspace(start) / "data" / "projects" / name / "project.yml"
    raise InputError(
        f"There is no project '{name}'.{did_you_mean(name, slugs)} Known projects: {listed(slugs, 20)}. "
        "`evalkit new SLUG` makes one."
    )


def project_slugs(start: Path | None = None) -> list[str]:
    """Return the slugs of the projects in the workspace, in order."""
    folder = find_workspace(start) / "data" / "projects"
    return sorted(file.parent.name for file in folder.glob("*/project.yml") if is_slug(file.parent.name))


def workspace_of(project_file: Path) -> Path | None:
    """Return the workspace under whose data/projects a project file lies, None where it lies elsewhere."""
    parents = project_file.absolute().parents
    is_within = len(parents) > 3 and (parents[2].name, parents[1].name) == ("data", "projects")
    return parents[3] if is_within else None


def notebooks_folder(project_file: Path) -> Path:
    """Return the folder with the notebooks of a project.

    They are those of the project's workspace; of a project outside any, those of the current folder; else the kit's.
    Notebooks are code: what some folder above happens to hold is never run.
    """
    for root in (workspace_of(project_file) or Path.cwd(), SOURCE_ROOT):
        if all((root / "notebooks" / f"{name}.ipynb").is_file() for name in NOTEBOOKS):
            return root / "notebooks"
    names = listed([f"{name}.ipynb" for name in NOTEBOOKS])
    raise InputError(f"The notebooks {names} are missing. Run this from a clone of the project.")


def synthetic_place(start: Path | None = None) -> Path:
    """Return where the synthetic England is, or will be made."""
    return writable_root(start) / "data" / "processed" / f"synthetic-{GENERATOR_VERSION}-{DEFAULT_SEED}"


def default_store(start: Path | None = None) -> Path:
    """Return where imported files are kept, unless another place is named."""
    return writable_root(start) / "data" / "processed"


def no_files_place(start: Path | None = None) -> Path:
    """Return the folder that stands for published files where a project reads none; it is there, or will be made."""
    return writable_root(start) / "data" / "processed" / "no-published-files"


def reads_published(project_file: Path) -> bool:
    """Return whether a project has an outcome of published files, as far as its file can be read at a glance."""
    import yaml

    try:
        data = yaml.load(project_file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
        outcomes = data.get("outcomes", ())
        return not outcomes or any("measure" in one or "table" not in one for one in outcomes)
    except (OSError, ValueError, yaml.YAMLError, RecursionError, TypeError, KeyError):
        return True


def writable_root(start: Path | None = None) -> Path:
    """Return the folder under which data/processed and outputs are made: the workspace, or the current folder."""
    try:
        return find_workspace(start)
    except InputError:
        return (start or Path.cwd()).absolute()
