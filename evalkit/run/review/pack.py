"""`evalkit pack`: one archive from which others can verify a report, and in which no data travel."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evalkit.core.errors import InputError
from evalkit.core.plain import json_text, plain_or_reason
from evalkit.core.words import counted, listed
from evalkit.data.lock_file import typed_project
from evalkit.data.locks import write_whole
from evalkit.run.console import Progress
from evalkit.run.outputs.folder import MANIFEST, is_ours
from evalkit.run.outputs.machine_marks import machine_marks, marks_in
from evalkit.run.outputs.release import TOLD, Asked, report_to_leave
from evalkit.run.processes.failure import environment_faults
from evalkit.run.processes.temporary import REVIEW, private_folder
from evalkit.run.project.project_file import load_project
from evalkit.run.project.workspace import SOURCE_ROOT, notebooks_folder, project_file, writable_root
from evalkit.run.review.again import CODE_IN_PACK, LOCK_FILE
from evalkit.run.review.crossing import file_block
from evalkit.run.review.data_statement import data_files
from evalkit.run.review.finished import (
    CHECKSUMS,
    NUMBERS,
    PACK,
    PACK_KIND,
    PROJECT_IN_PACK,
    RUN_IN_PACK,
    FinishedRun,
    finished_run,
)
from evalkit.run.review.materials import LOCK, Materials, find_materials
from evalkit.run.review.pack_readme import Packed, readme
from evalkit.run.review.wheel import archived, kit_wheel
from evalkit.run.typed_paths import out_file, out_folder

if TYPE_CHECKING:
    from evalkit.core.project import Project
    from evalkit.run.commands.options import Given

SCHEMA_VERSION: Final = 1
_BESIDE: Final = (LOCK_FILE, "environment.yml", "LICENSE", "CITATION.cff")
"""Files beside the kit that say what it runs in, under which licence, and how to cite it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackRequest:
    """What is packed: the project, the folder of reports, where releases are, and what may go in beside the report."""

    project_file: Path
    outputs: Path
    releases: Path
    with_participants: bool = False
    are_people: bool = False


def pack_command(given: Given) -> int:
    """Write the archive, print its path and return the exit code 0."""
    file, progress = project_file(given.project), Progress()
    project = load_project(file)
    target = out_file(given.out or f"{project.slug}.pack.zip", (".zip",), file)
    assert target is not None
    request = PackRequest(
        project_file=file,
        outputs=out_folder(given.outputs, "--outputs") or writable_root() / "outputs",
        releases=writable_root() / "release",
        with_participants=given.participants,
        are_people=given.people or any(one.person for one in project.data.tables.values()),
    )
    with environment_faults(f"packing {project.slug}"):
        with progress.step(f"{project.slug}: gathering what may leave"):
            files = pack_files(project, request)
        write_whole(target, archived(files))
    progress.say(f"{counted(len(files), 'file')}; no data are in it: README.md says how to get them")
    print(target, flush=True)
    return 0


def pack_files(project: Project, request: PackRequest) -> dict[str, bytes]:
    """Return path and content of every file of a pack; the same report gives the same bytes.

    Raises
    ------
    InputError
        If there is no finished report, one that was changed by hand, a project file that was, or one that names a
        folder of this machine.
    """
    source = request.outputs / project.slug
    if not is_ours(source):
        typed = typed_project(request.project_file, project.slug)
        raise InputError(f"{source} holds no finished report. `evalkit run {typed}` makes one.")
    with private_folder(REVIEW) as scratch:
        run = finished_run(str(source), scratch)
        _require_untouched(run, request)
        found = find_materials(run, request.project_file, None)
        _require_as_run(found, request)
        asked = Asked(
            project_file=request.project_file,
            outputs=request.outputs,
            out=request.releases,
            are_people=request.are_people,
        )
        report, leaving = report_to_leave(project, asked)
        if request.are_people:
            _require_released(report, request.releases / project.slug)
        travels, stays = _travelling(found, run, request)
        data = data_files(run, found, stays, scratch)
    code, described = _code(run)
    packed = Packed(
        run=run,
        title=project.title,
        data=data,
        code=described,
        n_withheld=len(dict.fromkeys(leaving.withheld)),
        outputs=tuple(sorted(report)),
        notebooks_left=tuple(name for name in stays if name.endswith(".ipynb")),
    )
    files = {f"{RUN_IN_PACK}/{name}": content for name, content in report.items()}
    files |= {f"{RUN_IN_PACK}/{MANIFEST}": _run_manifest(run, report, is_told=not _is_private(project, request))}
    files |= {f"{PROJECT_IN_PACK}/{name}": content for name, content in travels.items()}
    files |= {**code, **_notebooks(request.project_file), **_around()}
    files |= {"data.json": _json({"schema_version": SCHEMA_VERSION, "files": plain_or_reason(data)})}
    files |= {"README.md": readme(packed).encode("utf-8")}
    files |= {PACK: _json({"kind": PACK_KIND, "schema_version": SCHEMA_VERSION, "slug": run.slug, **described})}
    _require_no_marks(files, request)
    return files | {CHECKSUMS: _checksums(files)}


# What has to hold before anything is packed.


def _require_untouched(run: FinishedRun, request: PackRequest) -> None:
    touched = run.changed_since()
    if touched:
        typed = typed_project(request.project_file, run.slug)
        raise InputError(
            f"{counted(len(touched), 'file')} of the report {'is' if len(touched) == 1 else 'are'} not as the run left "
            f"it: {listed(list(touched))}. `evalkit run {typed} --force` makes it anew."
        )


def _require_as_run(found: Materials, request: PackRequest) -> None:
    """Raise `InputError` where the project's files are no longer those of the report, which nobody could verify."""
    others = [one.path for one in found.project if not one.is_same]
    if others:
        raise InputError(
            f"The report is of another state of the project: {listed(others)} changed since. Run it again "
            f"(`evalkit run {typed_project(request.project_file, request.project_file.parent.name)}`), then pack it."
        )


def _require_released(report: Mapping[str, bytes], release: Path) -> None:
    """Raise `InputError` where what a report of people tells is not what its release, which was checked, tells."""
    try:
        outputs: dict[str, str] = json.loads((release / MANIFEST).read_text(encoding="utf-8"))["outputs"]
    except (OSError, ValueError, KeyError, TypeError):
        outputs = {}
    told = {name.removeprefix("report/"): digest for name, digest in outputs.items()}
    if TOLD not in outputs or any(told.get(name) != _sha256(content) for name, content in report.items()):
        raise InputError(
            "Units of this project are people, so only what was released may be packed, and there is no release of "
            f"this report in {release}. `evalkit release {release.name} --people` makes one; look at it, then pack."
        )


def _require_no_marks(files: Mapping[str, bytes], request: PackRequest) -> None:
    marks = machine_marks(request.outputs, request.project_file.parent)
    own = {name: content for name, content in files.items() if not name.startswith((CODE_IN_PACK, "notebooks/"))}
    named = sorted(name for name, content in own.items() if marks_in(content, marks))
    if named:
        raise InputError(
            f"{listed(named)} would tell a folder or the name of this machine. Take it out of the project's files, and "
            "run the project again."
        )


# What goes in.


def _travelling(found: Materials, run: FinishedRun, request: PackRequest) -> tuple[dict[str, bytes], list[str]]:
    """Return the project's files that go in by name, and the paths of those that stay, as they hold rows of data."""
    travels, stays = dict[str, bytes](), list[str]()
    for one in found.project:
        assert one.place is not None
        block, content = file_block(one.path, run.parameters), one.place.read_bytes()
        is_list = block == "sample" and request.with_participants
        if (block in ("data", "sample") and not is_list) or (one.path.endswith(".ipynb") and _shows(content)):
            stays.append(one.path)
        else:
            travels[one.path.removeprefix("project/")] = content
    plan = request.project_file.parent / LOCK
    return (travels | {LOCK: plan.read_bytes()} if plan.is_file() else travels), stays


def _shows(notebook: bytes) -> bool:
    """Return whether a notebook holds outputs, which may be rows of data."""
    try:
        cells = json.loads(notebook)["cells"]
        return any(cell.get("outputs") for cell in cells)
    except (ValueError, KeyError, TypeError, AttributeError):
        return True


def _is_private(project: Project, request: PackRequest) -> bool:
    return request.are_people or bool(project.data.tables)


def _run_manifest(run: FinishedRun, report: Mapping[str, bytes], *, is_told: bool) -> bytes:
    """Return the run's manifest without hashes of numbers that are withheld from what goes in.

    Of private data it has the hashes of what goes in alone, as a hash of few unknown digits can be guessed at.
    """
    same = {name for name, content in report.items() if _sha256(content) == run.outputs.get(name)}
    withheld = {name for name in report if name.endswith(NUMBERS)} - same
    kept = set(run.outputs) - withheld if is_told else same
    told: dict[str, Any] = {key: value for key, value in run.manifest.items() if key not in ("outputs", "key")}
    return _json({**told, "outputs": {name: digest for name, digest in run.outputs.items() if name in kept}})


def _code(run: FinishedRun) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return the wheel of this kit where it is the code of the run, and what is said of that code."""
    from evalkit.run.outputs.manifest import code_hash

    recorded = str(run.manifest.get("code", ""))
    said = {
        "kit": str(run.manifest["versions"].get("evalkit", "")),
        "commit": str(run.manifest["commit"]),
        "code": recorded,
    }
    made = kit_wheel() if recorded == code_hash() else None
    if made is None:
        return {}, {**said, "wheel": ""}
    return {f"{CODE_IN_PACK}/{made[0]}": made[1]}, {**said, "wheel": f"{CODE_IN_PACK}/{made[0]}"}


def _notebooks(file: Path) -> dict[str, bytes]:
    return {
        f"notebooks/{path.name}": path.read_bytes() for path in sorted(notebooks_folder(file).glob("[0-9]_*.ipynb"))
    }


def _around() -> dict[str, bytes]:
    return {name: (SOURCE_ROOT / name).read_bytes() for name in _BESIDE if (SOURCE_ROOT / name).is_file()}


def _json(content: Mapping[str, Any]) -> bytes:
    return (json_text(content) + "\n").encode("utf-8")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _checksums(files: Mapping[str, bytes]) -> bytes:
    return "".join(f"{_sha256(content)}  {name}\n" for name, content in sorted(files.items())).encode("utf-8")
