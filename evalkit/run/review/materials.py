"""What a run was made from, found again by SHA-256, and laid out in a workspace of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from evalkit.core.errors import InputError
from evalkit.core.plain import json_text
from evalkit.run.outputs.content_key import project_of, text_in
from evalkit.run.outputs.hashes import Hashes
from evalkit.run.project.chosen_data import remembered
from evalkit.run.project.workspace import NOTEBOOKS, find_workspace, workspace_of
from evalkit.run.review.finished import PROJECT_IN_PACK, FinishedRun

FileState = Literal["same", "same, elsewhere", "changed", "missing", "from the manifest"]
LOCK: Final = "plan.lock.json"
"""The locked plan beside a project file, where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A file that a run read, whether the same is there now, and where; `path` is as the manifest has it."""

    path: str
    state: FileState
    place: Path | None = None

    @property
    def is_same(self) -> bool:
        """Whether what is there is, to the byte, what the run read."""
        return self.state in ("same", "same, elsewhere")


@dataclass(frozen=True, slots=True, kw_only=True)
class Materials:
    """The files of a run as they are found now: those of the project, and the published ones."""

    project: tuple[FoundFile, ...]
    data: tuple[FoundFile, ...]
    notebooks: Path | None = None

    @property
    def files(self) -> tuple[FoundFile, ...]:
        """All of them."""
        return (*self.project, *self.data)

    def named(self, state: FileState) -> tuple[str, ...]:
        """Return the paths of the files in a state."""
        return tuple(one.path for one in self.files if one.state == state)


def find_materials(run: FinishedRun, project_file: Path | None, data: Path | None) -> Materials:
    """Return what a run was made from, found by hash in the places that are named, else where it was then.

    A file that is not there to the byte is `changed` where another stands in its place, else `missing`; a project file
    that is either, and was not named, is made from the manifest.

    Raises
    ------
    InputError
        If nothing says where the published files are.
    """
    hashes = Hashes()
    folders = _project_folders(run, project_file)
    own = _found(run.project_inputs, [*folders, *([data] if data else [])], hashes, "project")
    if project_file is None:
        own = tuple(_or_manifest(one, run) for one in own)
    else:
        own = tuple(_as_named(one, run, project_file, hashes) for one in own)
    published = data_folder_of(run, data, folders)
    return Materials(
        project=own,
        data=_found(run.data_inputs, [published] if published else [], hashes, "data"),
        notebooks=_notebooks(run, folders),
    )


def _project_folders(run: FinishedRun, project_file: Path | None) -> list[Path]:
    """Return the folders in which files of the project may lie, the likeliest first."""
    then = project_of(run.folder.parent, run.slug)
    kept = run.pack / PROJECT_IN_PACK if run.pack else None
    places = [project_file.parent if project_file else None, kept, then.parent if then else None, _in_workspace(run)]
    return [place for place in dict.fromkeys(places) if place is not None and place.is_dir()]


def _in_workspace(run: FinishedRun) -> Path | None:
    try:
        return find_workspace() / "data" / "projects" / run.slug
    except InputError:
        return None


def _as_named(file: FoundFile, run: FinishedRun, named: Path, hashes: Hashes) -> FoundFile:
    """Return the project file that was named in the place of the one that was found, changed or not."""
    if file.path != f"project/{run.project_name}":
        return file
    is_same = hashes.of(named) == run.inputs[file.path]
    return FoundFile(path=file.path, state="same" if is_same else "changed", place=named)


def _or_manifest(file: FoundFile, run: FinishedRun) -> FoundFile:
    if file.path != f"project/{run.project_name}" or file.is_same:
        return file
    return FoundFile(path=file.path, state="from the manifest")


def data_folder_of(run: FinishedRun, named: Path | None, folders: Sequence[Path] = ()) -> Path | None:
    """Return the folder of published files that a run's are looked for in, None where it read none.

    It is the one that was named, else the one of the run, else that of the project file, else the synthetic England.
    """
    if named is not None or not run.data_inputs:
        return named
    then = remembered(run.folder.parent, run.slug)
    if then is not None and then.is_dir():
        return then
    for folder in folders:
        text = text_in(folder / run.project_name, "data", "folder")
        if text and (folder / text).is_dir():
            return folder / text
    if run.is_synthetic:
        from evalkit.run.notebooks.session import synthetic_folder

        return synthetic_folder()
    raise InputError(
        f"{run.named} was made from {len(run.data_inputs)} published files, and nothing says where they are now. Give "
        "their folder with --data DIR: they are found by their SHA-256."
    )


def _found(wanted: Mapping[str, str], folders: Sequence[Path], hashes: Hashes, prefix: str) -> tuple[FoundFile, ...]:
    """Return each file as it is found in folders: at its own place, else anywhere by its hash, else changed or not."""
    by_hash: dict[str, Path] | None = None
    found = []
    for name, digest in wanted.items():
        there = [folder / name for folder in folders if (folder / name).is_file()]
        same = next((path for path in there if hashes.of_published(path) == digest), None)
        if same is None and by_hash is None:
            by_hash = {hashes.of_published(path): path for path in _all_files(folders)}
        elsewhere = None if same is not None or by_hash is None else by_hash.get(digest)
        state: FileState = "same" if same else "same, elsewhere" if elsewhere else "changed" if there else "missing"
        place = same or elsewhere or next(iter(there), None)
        found.append(FoundFile(path=f"{prefix}/{name}", state=state, place=place))
    return tuple(found)


def _all_files(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in folders:
        for root, _, names in os.walk(folder):
            yield from (Path(root, name) for name in sorted(names) if Path(root, name).is_file())


def _notebooks(run: FinishedRun, folders: Sequence[Path]) -> Path | None:
    """Return the folder of notebooks that the run's were: a pack's own, else of the project's workspace, else None."""
    spaces = [workspace_of(folder / run.project_name) for folder in folders]
    places = [run.pack, *spaces]
    for place in (one / "notebooks" for one in places if one is not None):
        if all((place / f"{name}.ipynb").is_file() for name in NOTEBOOKS):
            return place
    return None


# A workspace in a scratch folder, in which the run is made again and nothing else stands.


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Where a run is made again: its project file, the folder of its data if it is to be named, and its outputs."""

    root: Path
    project_file: Path
    data: Path | None
    out: Path
    is_synthetic: bool = False


def lay_out(run: FinishedRun, found: Materials, root: Path) -> Workspace:
    """Return a workspace in `root` that holds the run's project, data and notebooks, and nothing else.

    Folders bear the names they had, since notebooks show them.
    """
    folder = root / "data" / "projects" / run.slug
    folder.mkdir(parents=True)
    for one in found.project:
        if one.place is not None:
            _copy(one.place, folder / one.path.removeprefix("project/"))
    project_file = folder / run.project_name
    if not project_file.is_file():
        project_file.write_text(json_text(run.parameters) + "\n", encoding="utf-8")
    _carry_lock(found, folder)
    if found.notebooks is not None:
        shutil.copytree(found.notebooks, root / "notebooks", ignore=shutil.ignore_patterns(".*"))
    data, is_synthetic = _lay_out_data(run, found, root)
    return Workspace(root=root, project_file=project_file, data=data, out=root / "outputs", is_synthetic=is_synthetic)


def _lay_out_data(run: FinishedRun, found: Materials, root: Path) -> tuple[Path | None, bool]:
    if not found.data:
        return None, False
    is_synthetic = run.is_synthetic and not run.shown
    place = _synthetic_place(root) if is_synthetic else root / "published" / (run.shown or "data")
    lay_out_files(found.data, place)
    return (None, True) if is_synthetic else (place, False)


def lay_out_files(files: Sequence[FoundFile], place: Path) -> None:
    """Lay out published files in a folder under the paths that the manifest has."""
    for one in files:
        if one.place is not None:
            _put(one.place, place / one.path.removeprefix("data/"))


def _synthetic_place(root: Path) -> Path:
    from evalkit.run.project.workspace import synthetic_place

    return synthetic_place(root)


def _carry_lock(found: Materials, folder: Path) -> None:
    """Put a locked plan beside the project file, where one stands beside the files that were found."""
    for place in (one.place for one in found.project if one.place is not None):
        if (place.parent / LOCK).is_file() and not (folder / LOCK).exists():
            _copy(place.parent / LOCK, folder / LOCK)


def _copy(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, place)


def _put(source: Path, place: Path) -> None:
    """Have a published file at another place too: as a second name of it where the disk allows, else as a copy."""
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source.resolve(), place)
    except OSError:
        shutil.copyfile(source, place)
