"""A finished run as reviewers name it: a folder of outputs, the slug of one, or a pack; read, and never written to."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from evalkit.core.errors import EvalkitError, InputError
from evalkit.core.words import counted, listed
from evalkit.run.outputs.folder import MANIFEST, MANIFEST_KIND
from evalkit.run.outputs.hashes import Hashes
from evalkit.run.project.workspace import is_slug, writable_root
from evalkit.run.typed_paths import typed_path

RESULTS: Final = "results.json"
PACK: Final = "pack.json"
PACK_KIND: Final = "evalkit pack"
CHECKSUMS: Final = "checksums.sha256"
NUMBERS: Final = (".json", ".csv")
"""How the outputs that hold numbers end; the others are drawn of these."""
RUN_IN_PACK: Final = "run"
PROJECT_IN_PACK: Final = "project"
_MOST_BYTES: Final = 4 << 30
_PROJECT, _DATA = "project/", "data/"


class TamperedPack(EvalkitError):
    """A pack whose files are not those that its checksums name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """What a run left: its manifest and the folder of its outputs; `pack` is the folder of the pack it came in."""

    named: str
    folder: Path
    manifest: Mapping[str, Any]
    pack: Path | None = None

    @property
    def slug(self) -> str:
        """The project's slug."""
        return str(self.manifest["slug"])

    @property
    def inputs(self) -> dict[str, str]:
        """Every file that was read, by its path under `project/` or `data/`, with its SHA-256."""
        return {str(one["path"]): str(one["sha256"]) for one in self.manifest["inputs"]}

    @property
    def project_inputs(self) -> dict[str, str]:
        """The files of the project's folder, by their names there."""
        return _below(_PROJECT, self.inputs)

    @property
    def data_inputs(self) -> dict[str, str]:
        """The files of the data folder, by their paths there."""
        return _below(_DATA, self.inputs)

    @property
    def project_name(self) -> str:
        """The name of the project file among the files of its folder."""
        claims = self.parameters.get("claims")
        names = [one for one in self.project_inputs if one.endswith((".yml", ".yaml")) and one != claims]
        return "project.yml" if "project.yml" in names or not names else names[0]

    @property
    def parameters(self) -> dict[str, Any]:
        """The project as plain data, every default filled in."""
        return dict(self.manifest["parameters"])

    @property
    def outputs(self) -> dict[str, str]:
        """Every file that was written, with its SHA-256."""
        return dict(self.manifest["outputs"])

    @property
    def is_synthetic(self) -> bool:
        """Whether it is of made-up schools."""
        return bool(self.manifest["data_kind"] == "synthetic")

    @property
    def shown(self) -> str | None:
        """The name of the data folder as the notebooks show it; None where an earlier kit did not keep it."""
        value = self.manifest.get("shown")
        return None if value is None else str(value)

    @property
    def withholds(self) -> bool:
        """Whether it came in a pack that tells less than the run did."""
        return self.pack is not None and RESULTS not in self.outputs

    def results(self) -> dict[str, Any] | None:
        """Return the content of results.json, None where it is not there or cannot be read."""
        try:
            found = json.loads((self.folder / RESULTS).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None

    def changed_since(self) -> tuple[str, ...]:
        """Return the outputs that are there and no longer as the run left them; documents of a pack are drawn anew."""
        hashes = Hashes()
        kept = [name for name in self.outputs if self.pack is None or name.endswith(NUMBERS)]
        there = {name: self.folder / name for name in kept}
        return tuple(name for name, path in there.items() if path.is_file() and hashes.of(path) != self.outputs[name])


def _below(prefix: str, files: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(prefix): digest for name, digest in files.items() if name.startswith(prefix)}


def finished_run(named: str, scratch: Path) -> FinishedRun:
    """Return the run that a text names: a folder of outputs, a slug of one in `outputs`, a manifest, or a pack.

    A pack that is an archive is unpacked in `scratch`, once every file in it is what its checksums say.

    Raises
    ------
    InputError
        If there is no finished run of this name.
    TamperedPack
        If a pack is not as `evalkit pack` made it.
    """
    path = typed_path(named, "RUN")
    if is_slug(named) and not path.exists():
        path = writable_root() / "outputs" / named
    if path.is_file() and zipfile.is_zipfile(path):
        return _of_pack(named, unpacked(path, scratch))
    if (path / PACK).is_file():
        require_whole(path, named)
        return _of_pack(named, path)
    folder = path.parent if path.name == MANIFEST else path
    return FinishedRun(named=named, folder=folder.absolute(), manifest=_manifest(folder, named))


def refuse_within(run: FinishedRun, out: Path | None) -> None:
    """Raise `InputError` where a file that is to be written would lie among the outputs of a run, or be its pack."""
    place = run.pack or run.folder
    if out is not None and (
        out.resolve().is_relative_to(place.resolve()) or out.resolve() == Path(run.named).resolve()
    ):
        raise InputError(f"--out {out} lies within {run.named}, which is never written to. Give another place.")


def _of_pack(named: str, folder: Path) -> FinishedRun:
    run = folder / RUN_IN_PACK
    return FinishedRun(named=named, folder=run, manifest=_manifest(run, named), pack=folder)


def _manifest(folder: Path, named: str) -> Mapping[str, Any]:
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise InputError(
            f"{named}: no finished run is there. Name the folder of its outputs, such as outputs/my-project, its slug, "
            "or a pack."
        ) from None
    if not isinstance(found, dict) or found.get("kind") != MANIFEST_KIND:
        raise InputError(f"{named}: its {MANIFEST} is not one of evalkit.")
    if found.get("is_release"):
        raise InputError(
            f"{named} is a release, which holds what may leave and not what it was made from. Name the run's own "
            "outputs, or a pack (`evalkit pack`)."
        )
    if not all(key in found for key in ("slug", "inputs", "parameters", "outputs", "data_kind")):
        raise InputError(f"{named}: this is no run of a project. Name the folder of one, such as outputs/my-project.")
    return found


# Packs: taken apart only where they are whole.


def unpacked(archive: Path, scratch: Path) -> Path:
    """Return the folder in `scratch` with the files of an archive, checked; raise as `finished_run` does."""
    folder = scratch / "pack"
    with zipfile.ZipFile(archive) as held:
        members = [one for one in held.infolist() if not one.is_dir()]
        _require_plain(members, archive)
        for one in members:
            place = folder / PurePosixPath(one.filename)
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                place.write_bytes(held.read(one))
            except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError) as problem:
                raise TamperedPack(f"{archive}: {one.filename} is damaged ({problem}).") from None
    if not (folder / PACK).is_file():
        raise InputError(f"{archive}: this archive is no pack of evalkit. `evalkit pack PROJECT` makes one.")
    require_whole(folder, str(archive))
    return folder


def _require_plain(members: list[zipfile.ZipInfo], archive: Path) -> None:
    names = [one.filename for one in members]
    strange = [name for name in names if ".." in PurePosixPath(name).parts or name.startswith("/") or "\\" in name]
    if strange or len(set(names)) < len(names) or sum(one.file_size for one in members) > _MOST_BYTES:
        raise TamperedPack(f"{archive}: this archive is none that `evalkit pack` made. It is not unpacked.")


def require_whole(folder: Path, named: str) -> None:
    """Raise `TamperedPack` where a pack's files are not those that its checksums name, with which are not."""
    try:
        lines = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        raise TamperedPack(f"{named}: the pack has no {CHECKSUMS}, so nobody can say whether it is whole.") from None
    said = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    hashes = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in there.items() if name != CHECKSUMS}
    changed = [name for name in said if name in hashes and hashes[name] != said[name]]
    faults = {
        "changed": changed,
        "missing": [name for name in said if name not in hashes],
        "not named in its checksums": [name for name in hashes if name not in said],
    }
    told = [f"{counted(len(names), 'file')} {what}: {listed(names)}" for what, names in faults.items() if names]
    if told:
        raise TamperedPack(f"{named}: the pack is not as it was made. {'; '.join(told)}. Nothing of it was run.")
