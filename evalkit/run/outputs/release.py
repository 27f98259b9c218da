"""`evalkit release`: the folder of a project that may leave, made from its finished report."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evalkit.core.disclosure import FEWEST_PEOPLE
from evalkit.core.errors import InputError
from evalkit.core.plain import json_text
from evalkit.core.words import counted
from evalkit.data.lock_file import require_lock
from evalkit.run.console import Progress
from evalkit.run.outputs.folder import MANIFEST, MANIFEST_KIND, is_ours, refuse_foreign, staging
from evalkit.run.outputs.machine_marks import machine_marks, marks_in
from evalkit.run.processes.failure import RUNS, environment_faults, record_path
from evalkit.run.project.project_file import load_project, reference_of
from evalkit.run.project.workspace import project_file, writable_root
from evalkit.run.typed_paths import out_folder

if TYPE_CHECKING:
    from evalkit.core.project import Project
    from evalkit.report.border.disclosure import ReleasedTable
    from evalkit.report.documents.contents import Contents
    from evalkit.report.documents.leaving import Leaving
    from evalkit.run.commands.options import Given

SCHEMA_VERSION: Final = 1
TOLD: Final = "told.json"
"""The file of a release with every count of people that it and those before it told: the next is compared with it."""
PAGE: Final = "release.html"
_REPORT: Final = "report"
_LOG: Final = "log.jsonl"
_OF_EVENTS: Final = ("time", "event", "stage", "status", "seconds")
"""What of an event of a run leaves: never its message."""
_OF_FAILURES: Final = ("kind", "stage", "heading", "exit_code")
_KINDS: Final[Mapping[str, str]] = {
    ".html": "The report as a page",
    ".docx": "The report for Word",
    ".pdf": "The report on paper",
    ".csv": "A table",
    ".png": "A figure",
    ".json": "Plain data",
    ".jsonl": "When what was done",
}
_DOCUMENTS: Final = (".html", ".docx", ".pdf")
_OF_RUNS: Final = (MANIFEST, "failure.json", _LOG)
"""Files of a release that say of a run what became of it and when."""
_NO_MACHINE: Final = "It names a folder or the name of this machine."
_NO_REPORT: Final = "There is no finished report: the last run failed."


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be released: the project, where its report is, where the release goes, and what left before."""

    project_file: Path
    outputs: Path
    out: Path
    previous: Path | None = None
    are_people: bool = False


def release_command(given: Given) -> int:
    """Make the folder that may leave, print its path and return the exit code 0."""
    asked = Asked(
        project_file=project_file(given.project),
        outputs=out_folder(given.outputs, "--outputs") or writable_root() / "outputs",
        out=out_folder(given.out) or writable_root() / "release",
        previous=out_folder(given.previous, "--previous"),
        are_people=given.people,
    )
    print(make_release(asked, Progress()), flush=True)
    return 0


def make_release(asked: Asked, progress: Progress) -> Path:
    """Return the folder of a project that may leave, replaced whole.

    Raises
    ------
    PlanNotLocked
        If the project wants its plan locked before outcomes are read, and it is not.
    InputError
        If there is no report, one that was changed by hand or made by an earlier version of the kit, or no release
        where one is named.
    """
    project = load_project(asked.project_file)
    require_lock(project, asked.project_file.parent)
    source, target = asked.outputs / project.slug, asked.out / project.slug
    refuse_foreign(target)
    with environment_faults(f"releasing {project.slug}"):
        before = _releases_before(asked.previous, target)
        with progress.step(f"{project.slug}: looking at all numbers together"):
            leaving = _leaving(project, source, asked, [tables for _, tables in before])
        with progress.step(f"{project.slug}: drawing what may leave"):
            files, leaving = _files(project, asked, leaving)
        made = _folder(files, leaving, project, asked, before)
        with staging(asked.out, project.slug) as stage:
            stage.write(made)
            place = stage.release()
    n = len(dict.fromkeys(leaving.withheld))
    progress.say(
        f"{counted(len(files), 'file')} may leave; {counted(n, 'number')} withheld. {PAGE} says which and why."
    )
    return place


def report_to_leave(project: Project, asked: Asked) -> tuple[dict[str, bytes], Leaving]:
    """Return the files of a finished report as they may leave, by their names among its outputs, and what is withheld.

    Records of runs are not among them, as they tell when something was done. Raises what `make_release` does.
    """
    before = _releases_before(asked.previous, asked.out / project.slug)
    leaving = _leaving(project, asked.outputs / project.slug, asked, [tables for _, tables in before])
    files, leaving = _files(project, asked, leaving)
    names = {name: name.removeprefix(f"{_REPORT}/") for name in files}
    return {names[name]: content for name, content in files.items() if names[name] not in _OF_RUNS}, leaving


# What there is: a finished report, or the record of a failure.


def _leaving(project: Project, source: Path, asked: Asked, previous: list[Mapping[str, ReleasedTable]]) -> Leaving:
    from evalkit.report.documents.leaving import LeftOut, contents_leaving

    if not is_ours(source) and record_path(asked.outputs, project.slug).is_file():
        leaving = contents_leaving(_nothing(project), are_people=asked.are_people, previous=())
        return replace(leaving, left_out=(LeftOut("The report", _NO_REPORT),))
    return contents_leaving(
        _contents(project, source, _run_of(project, asked)), are_people=asked.are_people, previous=previous
    )


def _nothing(project: Project) -> Contents:
    from evalkit.report.border.parts import Document
    from evalkit.report.documents.contents import Contents

    empty = Document(title=project.title, slug=project.slug)
    return Contents(document=empty, tables={}, figures={}, results={}, threshold=project.disclosure.threshold)


def _run_of(project: Project, asked: Asked) -> str:
    """Return the command that makes the report where it is looked for."""
    is_elsewhere = asked.outputs != writable_root() / "outputs"
    return shlex.join(["evalkit", "run", project.slug, *(["--out", str(asked.outputs)] if is_elsewhere else [])])


def _contents(project: Project, source: Path, run: str) -> Contents:
    """Return what the report of a project is drawn from, its files as the command `run` left them."""
    from evalkit.report.documents.contents import PARTS, contents_from_json

    if not is_ours(source):
        raise InputError(f"{source} holds no finished report. `{run}` makes one.")
    manifest = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
    outputs = manifest.get("outputs", {})
    if PARTS not in outputs:
        raise InputError(
            f"The report in {source} was made by an evalkit that did not keep what a release is drawn from ({PARTS}). "
            f"`{run} --force` makes it anew."
        )

    def read(name: str) -> bytes:
        content = (source / name).read_bytes() if (source / name).is_file() else b""
        if hashlib.sha256(content).hexdigest() != outputs.get(name):
            raise InputError(
                f"{source / name} is not as the run left it, so nobody can say what it tells. "
                f"`{run} --force` makes it anew."
            )
        return content

    return contents_from_json(json.loads(read(PARTS)), lambda name: read(f"figures/{name}.png"))


def _releases_before(named: Path | None, target: Path) -> list[tuple[str, Mapping[str, ReleasedTable]]]:
    """Return the tables of every release before, each with its name: of the one named, else of the one in the place."""
    from evalkit.report.border.disclosure import ReleasedTable
    from evalkit.report.border.parts import part_from_json

    folder = named or target
    path = folder / TOLD
    if not path.is_file():
        if named is not None:
            raise InputError(f"{named} is no release of evalkit: it has no {TOLD}. Name the folder of one.")
        return []
    try:
        told = json.loads(path.read_text(encoding="utf-8"))["releases"]
        read = [
            (str(one["made"]), {name: part_from_json(part) for name, part in one["tables"].items()}) for one in told
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(f"{path} cannot be read: it is not as evalkit left it.") from None
    return [
        (made, {name: one for name, one in tables.items() if isinstance(one, ReleasedTable)}) for made, tables in read
    ]


# What leaves.


def _files(project: Project, asked: Asked, leaving: Leaving) -> tuple[dict[str, bytes], Leaving]:
    """Return the files of the report that may leave, and what is told of those that may not."""
    from evalkit.report.documents.contents import contents_json, drawn
    from evalkit.report.documents.leaving import LeftOut

    marks = machine_marks(asked.outputs, asked.out, asked.project_file.parent)
    in_words = marks_in(contents_json(leaving.contents), marks)  # on paper words are drawn, and cannot be looked for
    named, kept = set[str](), dict[str, bytes]()

    def keep(made: Mapping[str, bytes]) -> None:
        files = {f"{_REPORT}/{name}": content for name, content in made.items()}
        named.update(name for name, content in files.items() if marks_in(content, marks))
        named.update(name for name in files if in_words and name.endswith(_DOCUMENTS))
        kept.update({name: content for name, content in files.items() if name not in named})

    if leaving.contents.document.sections:
        made = drawn(leaving.contents, reference_of(project, asked.project_file.parent))
        keep({name: content for name, content in made.items() if not name.endswith(".svg")})
        keep({MANIFEST: _manifest_of_report(asked.outputs / project.slug, kept)})
    keep(_records(project, asked))
    left_out = (*leaving.left_out, *(LeftOut(name, _NO_MACHINE) for name in sorted(named)))
    return kept, replace(leaving, left_out=left_out)


def _manifest_of_report(source: Path, files: Mapping[str, bytes]) -> bytes:
    """Return the manifest of the report with the hashes of what leaves in place of what stays."""
    manifest = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
    hashes = {name.partition("/")[2]: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    told = {key: value for key, value in manifest.items() if key not in ("outputs", "key")}
    return (json_text({**told, "outputs": hashes}) + "\n").encode("utf-8")


def _records(project: Project, asked: Asked) -> dict[str, bytes]:
    """Return what became of the last run, and the log of the project, as they may leave.

    Of a failure its message leaves where it has no number, or where everything that was read is published.
    """
    records = dict[str, bytes]()
    with suppress(OSError, ValueError, AttributeError):
        failure = json.loads(record_path(asked.outputs, project.slug).read_text(encoding="utf-8"))
        of_people = asked.are_people or bool(project.data.tables)
        message = _message(str(failure.get("message", "")), of_people)
        told = {key: failure.get(key) for key in _OF_FAILURES}
        records["failure.json"] = (json_text({"project": project.slug, **told, "message": message}) + "\n").encode()
    lines = list(_events(asked.outputs / RUNS / _LOG, project.slug))
    return records | ({"log.jsonl": ("\n".join(lines) + "\n").encode("utf-8")} if lines else {})


def _message(message: str, of_people: bool) -> str:
    from evalkit.report.border.disclosure import UNTYPED, told

    if of_people:
        return told(message, FEWEST_PEOPLE)
    return UNTYPED if "/" in message or "\\" in message else message


def _events(path: Path, slug: str) -> Iterable[str]:
    """Yield the events of a project, without what they say beside when and which."""
    with suppress(OSError):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            with suppress(ValueError, AttributeError):
                event: Mapping[str, Any] = json.loads(line)
                if event.get("project") == slug:
                    yield json.dumps({key: event[key] for key in _OF_EVENTS if key in event}, ensure_ascii=False)


# The folder around it: the page, the checkers' log, the checksums, and what the next release is compared with.


def _folder(
    files: Mapping[str, bytes],
    leaving: Leaving,
    project: Project,
    asked: Asked,
    before: list[tuple[str, Mapping[str, ReleasedTable]]],
) -> dict[str, bytes]:
    from evalkit.report.documents.checkers_log import CONFIG, LOG, checkers_config, checkers_log, checksums
    from evalkit.report.documents.html import report_html
    from evalkit.report.documents.release_page import release_page

    fewest = FEWEST_PEOPLE if asked.are_people else leaving.contents.threshold
    now = datetime.now(UTC).replace(microsecond=0)
    listed = {name: _KINDS.get(Path(name).suffix, "A file") for name in files}
    page = release_page(
        leaving, listed, fewest=fewest, are_people=asked.are_people, previous=before[-1][0] if before else ""
    )
    releases = [*before, (f"{now:%Y-%m-%d %H:%M} UTC", leaving.counted)]
    told = {
        "schema_version": SCHEMA_VERSION,
        "releases": [
            {"made": made, "tables": {name: one.record() for name, one in tables.items()}} for made, tables in releases
        ],
    }
    all_files = {PAGE: report_html(page).encode("utf-8"), **files, TOLD: (json_text(told) + "\n").encode("utf-8")}
    command = f"evalkit release {project.slug}{' --people' if asked.are_people else ''}"
    log = checkers_log(all_files, leaving, fewest=fewest, command=command, time=now.replace(tzinfo=None).isoformat())
    made = {**all_files, LOG: log, CONFIG: checkers_config(fewest)}
    return {**made, **checksums(made), MANIFEST: _manifest(project.slug, made)}


def _manifest(slug: str, files: Mapping[str, bytes]) -> bytes:
    """Return what stands in the folder; its `kind` marks it as one this kit may replace."""
    content = {
        "kind": MANIFEST_KIND,
        "schema_version": SCHEMA_VERSION,
        "slug": slug,
        "is_release": True,
        "outputs": {name: hashlib.sha256(one).hexdigest() for name, one in sorted(files.items())},
    }
    return (json_text(content) + "\n").encode("utf-8")
