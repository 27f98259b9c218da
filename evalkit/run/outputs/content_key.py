"""Whether a project has to be run again: a key over all that decides its outputs, and reports that still stand."""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import yaml

import evalkit
from evalkit.core.errors import EvalkitError
from evalkit.core.manifest import MEASURES_FILE, State, Vintage
from evalkit.data.lock_file import PLAN_LOCK
from evalkit.data.locks import write_whole
from evalkit.run.many.task import RunResult, Task
from evalkit.run.outputs.folder import MANIFEST, MANIFEST_KIND, is_ours
from evalkit.run.outputs.hashes import Hashes
from evalkit.run.processes.failure import RUNS
from evalkit.run.project.workspace import is_slug, notebooks_folder

# Whether a project has to be run again: a key over the content of everything that decides its outputs.

_MOST_BYTES: Final = 1 << 18  # of a project file, as `plain_yaml` has it
_IN_LIST: Final = "\0"  # no key: YAML allows no such letter
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def content_key(project_file: Path, data: Path, hashes: Hashes, shown_data: str = "") -> str:
    """Return a SHA-256 that is another one where any byte is that decides the outputs of a project.

    These are the project file and every file beside it that it names, the published files, the notebooks, the code
    of this kit and the versions of the packages it rests on. Where files are does not count; `shown_data` is the name
    of the data folder as the notebooks show it.

    Raises
    ------
    OSError
        Where a file cannot be read.
    EvalkitError
        Where the folder holds no data, or the notebooks are missing.
    """
    from evalkit.data.published.sources import find_sources  # which loads what tables are read with

    content = {
        "project": {name: hashes.of(project_file.parent / name) for name in project_files(project_file)},
        "data": {
            path.relative_to(data).as_posix(): hashes.of_published(path)
            for path in find_sources(data).files()
            if path.exists()
        },
        "shown": shown_data,
        "notebooks": {
            path.name: hashes.of(path) for path in sorted(notebooks_folder(project_file).glob("[0-9]_*.ipynb"))
        },
        "code": hashes.of_tree(Path(evalkit.__file__).parent),
        "versions": {"python": platform.python_version(), **installed_versions()},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _notebooks(project_file: Path) -> list[Path]:
    """Return the notebooks that a project may run, those of other kinds of analysis among them."""
    return sorted(notebooks_folder(project_file).glob("[0-9]_*.ipynb"))


def shown_data(data: Path | None) -> str:
    """Return the name of a data folder as notebooks show it."""
    return "" if data is None else data.name


def is_unchanged(folder: Path, key: str, hashes: Hashes) -> bool:
    """Return whether a folder holds, whole, the outputs that have this key."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if manifest.get("kind") != MANIFEST_KIND or not key or manifest.get("key") != key:
            return False
        outputs: Mapping[str, str] = manifest["outputs"]
        return bool(outputs) and all(hashes.of(folder / name) == digest for name, digest in outputs.items())
    except (OSError, ValueError, RecursionError, AttributeError, KeyError, TypeError):
        return False


def project_files(project_file: Path) -> list[str]:
    """Return the project file, every file of its folder that a value in it names, its own measures and its lock."""
    folder = project_file.parent
    named = {text for text in (*_scalars(project_file), MEASURES_FILE, PLAN_LOCK) if _is_inside(folder, text)}
    return sorted({project_file.name, *named})


def project_slug(project_file: Path) -> str | None:
    """Return the slug that a project file gives, None where it gives none that can be read at a glance."""
    return text_in(project_file, "slug")


def text_in(project_file: Path, *keys: str) -> str | None:
    """Return the text under a key, or a key within a key, of a project file; None where none can be read at a glance.

    Nothing is imported that checks project files, since the command that starts others asks for this.
    """
    try:
        return next((text for place, text in _texts(_events(project_file)) if place == keys), None)
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return None


def _texts(events: Iterable[yaml.Event]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every text of nested keys with its keys; what stands in lists is passed over."""
    keys: list[str | None] = []  # of each mapping and list that is open: the key whose value comes next, None before it
    for event in events:
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            keys.append(None if isinstance(event, yaml.MappingStartEvent) else _IN_LIST)
            continue
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            keys.pop()
        elif not isinstance(event, yaml.ScalarEvent | yaml.AliasEvent):
            continue
        elif isinstance(event, yaml.ScalarEvent) and None not in keys and _IN_LIST not in keys:
            yield tuple(key for key in keys if key is not None), event.value
        if keys and keys[-1] != _IN_LIST:
            keys[-1] = getattr(event, "value", "") if keys[-1] is None else None


def _scalars(project_file: Path) -> Iterator[str]:
    try:
        yield from (event.value for event in _events(project_file) if isinstance(event, yaml.ScalarEvent))
    except (ValueError, yaml.YAMLError, RecursionError):
        return  # what is wrong with the file is said when it is run


def _events(project_file: Path) -> Iterator[yaml.Event]:
    with project_file.open("rb") as file:
        text = file.read(_MOST_BYTES).decode("utf-8-sig")
    events: Iterator[yaml.Event] = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return events


def _is_inside(folder: Path, text: str) -> bool:
    if not text or len(text) > 255 or "\n" in text or "\0" in text or ".." in Path(text).parts:
        return False
    return not Path(text).is_absolute() and (folder / text).is_file()


@cache
def installed_versions() -> dict[str, str]:
    """Return the version of every installed package that this kit rests on, directly or not."""
    versions: dict[str, str] = {}
    waiting = ["evalkit"]
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in versions:
            continue
        try:
            package = metadata.metadata(name)
        except metadata.PackageNotFoundError:
            versions[name] = ""
            continue
        versions[name] = package["Version"]
        needed = [line for line in package.get_all("Requires-Dist") or () if "extra ==" not in line]
        waiting += [named[0] for line in needed if (named := _NAME.match(line))]
    return {name: version for name, version in sorted(versions.items()) if version}


# Reports that stand: those that need not be made again, and those that another run has made in the meantime.


def unchanged(tasks: Sequence[Task]) -> dict[str, RunResult]:
    """Return those tasks whose report stands, whole, and is that of what would be read now."""
    from evalkit.run.project.workspace import synthetic_place

    hashes, results = Hashes(), {}
    for task in (task for task in tasks if task.report.is_file()):
        try:
            data = synthetic_place() if task.data is None else task.data.resolve()
            key = content_key(task.project_file, data, hashes, shown_data(task.data))
        except (OSError, EvalkitError):
            continue  # what is missing is said when the project is run
        if is_unchanged(task.out / task.slug, key, hashes):
            results[task.slug] = RunResult(slug=task.slug, status="unchanged", seconds=0.0, report=task.report)
    return results


def made_meanwhile(task: Task) -> RunResult | None:
    """Return the outcome of a task whose report another process has made since the task was, else None.

    Only where a report has come or was replaced since then is anything read to judge it, so that a task that shall be
    done whatever stands there (`--force`) is done.
    """
    stamp = report_stamp(task.report)
    if not stamp or stamp == task.before:
        return None
    return unchanged([task]).get(task.slug)


def report_stamp(report: Path) -> str:
    """Return what tells a report from the one that takes its place, alike in every byte or not; empty without one."""
    try:
        stat = (report.parent / MANIFEST).stat()
    except OSError:
        return ""
    return f"{stat.st_ino}-{stat.st_mtime_ns}"


def orphans(out: Path, slugs: Collection[str]) -> list[str]:
    """Return the folders of reports in `out` that no project of these slugs would write."""
    if not out.is_dir():
        return []
    names = sorted(path.name for path in out.iterdir() if path.is_dir() and not path.is_symlink())
    return [name for name in names if is_slug(name) and name not in slugs and is_ours(out / name)]


# Where a project was when its report was made, on which day that was, and whether it is still the same.

SCHEMA_VERSION: Final = 1
_PROJECT_PREFIX: Final = "project/"


def keep_source(out: Path, slug: str, project_file: Path, is_new: bool) -> None:
    """Keep where the project of a report is and, where the report is new, the day it was made.

    The record stands beside the outputs, and never in them: what is released names no folder of this machine.
    """
    held = _source_record(out, slug)
    path = str(project_file.absolute())
    made = f"{datetime.now(UTC):%Y-%m-%d}" if is_new else str(held.get("made", ""))
    content = {"schema_version": SCHEMA_VERSION, "slug": slug, "project": path, "made": made}
    if held != content:
        with suppress(OSError):  # without it the day is that of the manifest, and the place is looked for
            _source_file(out, slug).parent.mkdir(parents=True, exist_ok=True)
            write_whole(_source_file(out, slug), (json.dumps(content, indent=2) + "\n").encode())


def known_vintage(vintage: Vintage, manifest: Mapping[str, Any], folder: Path) -> Vintage:
    """Return the vintage of the report in a folder with its day and the state of its project.

    The project is looked for where its last run found it, else in the workspace beside the outputs. The day is that
    of the run, else that of the manifest's file.
    """
    held = _source_record(folder.parent, folder.name)
    made = str(held.get("made") or "") or f"{datetime.fromtimestamp((folder / MANIFEST).stat().st_mtime, UTC):%Y-%m-%d}"
    return replace(vintage, made=made, state=_state_of(manifest, _project_folder(folder, held), folder.name))


def project_of(out: Path, slug: str) -> Path | None:
    """Return the project file that the last run of a project read, None where that is not known."""
    held = _source_record(out, slug)
    return Path(str(held["project"])) if held.get("project") else None


def _project_folder(folder: Path, held: Mapping[str, Any]) -> Path | None:
    """Return the folder in which the project should be, None where nothing says."""
    folder_then = Path(str(held.get("project") or "")).parent
    if held.get("project") and folder_then.parent.is_dir():  # else the outputs came from another machine
        return folder_then
    projects = folder.parent.absolute().parent / "data" / "projects"
    return projects / folder.name if projects.is_dir() else None


def _state_of(manifest: Mapping[str, Any], place: Path | None, slug: str) -> State:
    """Return whether the files of a project are those that its report was made from."""
    inputs = manifest.get("inputs") or ()
    files = {str(one["path"]): str(one["sha256"]) for one in inputs if str(one["path"]).startswith(_PROJECT_PREFIX)}
    if place is None or not files:
        return "not known"
    if not any((place / path.removeprefix(_PROJECT_PREFIX)).is_file() for path in files):
        return "gone"
    is_same = all(_digest(place / path.removeprefix(_PROJECT_PREFIX)) == digest for path, digest in files.items())
    if is_same:
        return "current"
    return "changed" if project_slug(place / "project.yml") in (None, slug) else "renamed"


def _digest(path: Path) -> str:
    with suppress(OSError):
        return Hashes().of(path)
    return ""


def _source_record(out: Path, slug: str) -> dict[str, Any]:
    with suppress(OSError, ValueError, RecursionError):
        held = json.loads(_source_file(out, slug).read_text(encoding="utf-8"))
        return held if isinstance(held, dict) else {}
    return {}


def _source_file(out: Path, slug: str) -> Path:
    return out / RUNS / f"{slug}.project.json"
