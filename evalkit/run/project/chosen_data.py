"""Which published files a project is run on: what was asked for, what its file says, or what its last report was of."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evalkit.core.errors import InputError, MissingData, UnknownParticipants
from evalkit.data.locks import write_whole
from evalkit.run.commands.options import refuse_data
from evalkit.run.outputs.content_key import project_slug, text_in
from evalkit.run.outputs.folder import MANIFEST, MANIFEST_KIND
from evalkit.run.processes.failure import RUNS
from evalkit.run.project.workspace import no_files_place, reads_published, synthetic_place, writable_root
from evalkit.run.typed_paths import data_folder

if TYPE_CHECKING:
    from evalkit.data.published.sources import Sources
    from evalkit.run.commands.options import Given

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class DataChoice:
    """What the command line says of the data: a folder, that they shall be synthetic, or neither."""

    folder: Path | None = None
    is_synthetic: bool = False
    beside: dict[Path, str] = field(default_factory=dict, compare=False, repr=False)
    """The report of real schools found in each folder of reports, looked for once in the life of a command."""

    @classmethod
    def of(cls, given: Given) -> DataChoice:
        """Return the choice of a command line; raise `InputError` where it names no folder, or both."""
        refuse_data(given)
        return cls(data_folder(given.data), given.synthetic)

    def folder_for(self, project_file: Path, slug: str, out: Path) -> Path | None:
        """Return the folder of published files for a project whose reports go to `out`, None for the synthetic England.

        Where the command line says nothing, that is the folder `data.folder` of the project file, else an empty one for
        a project that has tables of its own alone, else the one that the project's last report was made from.

        Raises
        ------
        InputError
            If that folder is no longer there, or is not known and the last report was made from real data, or other
            reports beside it: one of made-up schools never takes the place of one of real schools, or stands among
            such, unasked.
        """
        if self.folder is not None or self.is_synthetic:
            return self.folder
        named = text_in(project_file, "data", "folder")
        if named:
            return _there(project_file.parent / named, f"{project_file.name}: `data.folder` is '{named}'")
        if not reads_published(project_file):
            from evalkit.run.notebooks.session import no_files_folder

            return no_files_folder()
        folder_then = remembered(out, slug)
        if folder_then is not None:
            return _there(folder_then, f"The report of {slug} was made from data in {folder_then}")
        if is_of_real_data(out / slug):
            raise InputError(
                f"The report of {slug} was made from real data, and {out / RUNS} does not say where they are. Give "
                "--data DIR, or --synthetic to use made-up schools in their place."
            )
        if out not in self.beside:
            self.beside[out] = _real_beside(out)
        if other := self.beside[out]:
            folder_then = remembered(out, other)
            where = "" if folder_then is None else f" (from data in {folder_then})"
            raise InputError(
                f"Nothing says where the data of {slug} are, and the report of {other} beside it is of real "
                f"schools{where}. Give --data DIR, or --synthetic to use made-up schools."
            )
        return None


def chosen_here(given: Given, project_file: Path) -> Path | None:
    """Return the folder of published files that a command without outputs of its own reads, and say so if unasked."""
    choice, slug = DataChoice.of(given), project_slug(project_file) or project_file.parent.name
    folder = choice.folder_for(project_file, slug, writable_root() / "outputs")
    if folder is not None and choice.folder is None and folder != no_files_place():
        print(f"Reading the published files in {folder}. {INSTEAD}", file=sys.stderr, flush=True)
    return folder


INSTEAD: Final = "(--data names others, --synthetic takes made-up schools)"


def remembered(out: Path, slug: str) -> Path | None:
    """Return the folder of published files that a project's report in `out` was made from, where that is known."""
    with suppress(OSError, ValueError, RecursionError, TypeError, KeyError):
        return Path(json.loads(_record(out, slug).read_text(encoding="utf-8"))["folder"])
    return None


def _real_beside(out: Path) -> str:
    """Return the slug of the first report of real schools in a folder of reports, an empty text where there is none."""
    reports = sorted(out.glob(f"*/{MANIFEST}"))
    return next((path.parent.name for path in reports if is_of_real_data(path.parent)), "")


def remember(out: Path, slug: str, data: Path | None) -> None:
    """Keep where the data of a project's report are; that they are synthetic forgets it.

    The record stands beside the outputs, and never in them: what is released names no folder of this machine.
    """
    with suppress(OSError):  # without it the next run asks for --data
        if data is None:
            _record(out, slug).unlink(missing_ok=True)
        elif remembered(out, slug) != _plain(data):
            _record(out, slug).parent.mkdir(parents=True, exist_ok=True)
            content = {"schema_version": SCHEMA_VERSION, "slug": slug, "folder": str(_plain(data))}
            write_whole(_record(out, slug), (json.dumps(content, indent=2) + "\n").encode())


def is_of_real_data(folder: Path) -> bool:
    """Return whether a folder holds a report that was made from published files of real schools."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return bool(manifest["kind"] == MANIFEST_KIND and manifest["data_kind"] != "synthetic")
    except (OSError, ValueError, RecursionError, TypeError, KeyError):
        return False


@contextmanager
def telling_of_missing_data(sources: Sources) -> Iterator[None]:
    """Have what is missed told with what may be it: files that cannot be read, or the folder itself.

    Participants that the synthetic England lacks are a sign that `--data` is missing.
    """
    try:
        yield
    except UnknownParticipants as problem:
        if sources.folder.resolve() != synthetic_place().resolve():  # a folder that was named, of whatever kind
            raise
        first = str(problem).partition("\n")[0]  # what follows it says to correct the rows, which are not at fault
        raise InputError(
            "--data is missing: the project lists its schools, and these are not among the made-up schools of the "
            f"synthetic England, which is read without it. Give the folder of published files: --data DIR.\n({first})"
        ) from None
    except MissingData as problem:
        from evalkit.data.published.sources import told_unreadable

        raise MissingData(f"{problem}{told_unreadable(sources.unreadable)}") from None


def _record(out: Path, slug: str) -> Path:
    return out / RUNS / f"{slug}.data.json"


def _there(folder: Path, where: str) -> Path:
    if not folder.is_dir():
        raise InputError(
            f"{where}, and there is no such folder now. Give --data DIR, or --synthetic to use made-up schools in "
            "their place."
        )
    return _plain(folder)


def _plain(folder: Path) -> Path:
    """Return a folder's path without `..`, where that is the same; links keep their names, which reports show."""
    plain = Path(os.path.abspath(folder))
    return plain if plain.is_dir() and plain.samefile(folder) else folder
