"""`evalkit fetch`: the files of a source into a folder, what became of each, and what to type next."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evalkit.core.errors import InputError
from evalkit.core.plain import json_text
from evalkit.core.words import cleaned, counted
from evalkit.data.locks import only_one
from evalkit.run.fetch.addresses import Source, sources
from evalkit.run.fetch.one_file import Fetched, Folder, fetch_file
from evalkit.run.fetch.part import Part
from evalkit.run.fetch.progress import FetchProgress, shown_bytes
from evalkit.run.fetch.register import Record, read_register, write_register
from evalkit.run.fetch.transfer import Tools, Unreachable
from evalkit.run.fetch.wanted import Plan, Wanted, addresses_named, areas_named, plan, summers
from evalkit.run.processes.failure import INTERRUPTED, environment_faults
from evalkit.run.project.workspace import writable_root
from evalkit.run.typed_paths import out_folder, typed_path

if TYPE_CHECKING:
    from evalkit.run.commands.options import Given

SCHEMA_VERSION: Final = 1
LOCK: Final = ".evalkit-fetch.lock"
_STATES: Final = {"fetched": "fetched", "unchanged": "not changed", "changed": "changed since"}


@dataclass(slots=True)
class Outcome:
    """What became of a fetch, as far as it has come."""

    folder: Path
    plan: Plan
    fetched: list[Fetched] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    is_interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """0 where every file is there, 2 where one could not be had, 130 where the user stopped it."""
        return INTERRUPTED if self.is_interrupted else InputError.exit_code if self.failed else 0


def fetch_command(given: Given) -> int:
    """Fetch the files of a source and return the exit code: 2 where one could not be had."""
    known = sources(typed_path(given.addresses, "--addresses") if given.addresses else None)
    if given.is_list:
        named = [known[given.source]] if given.source else list(known.values())
        chosen = [replace(one, addresses=tuple(addresses_named(one, given.only))) for one in named]
        print(json_text([asdict(one) for one in chosen]) if given.json else cleaned("\n".join(_listed(chosen))))
        return 0
    asked = plan(known[given.source], summers(given.years), areas_named(given.la), given.only, datetime.now(UTC).date())
    if not asked.files:
        raise InputError("Nothing was asked of any server:\n" + "\n".join(f"  {why}" for why in asked.reasons))
    folder = out_folder(given.out) or writable_root() / "data" / "raw"
    outcome = fetch(asked, folder, Tools(), FetchProgress(is_quiet=given.quiet))
    print(json_text(_json(outcome)) if given.json else cleaned("\n".join(_said(outcome))), flush=True)
    if outcome.failed:
        print(f"The page to download it from by hand: {known[given.source].page}", file=sys.stderr)
    return outcome.exit_code


def fetch(asked: Plan, folder: Path, tools: Tools, progress: FetchProgress) -> Outcome:
    """Fetch what is asked for into a folder, which is made where it is not there, and register each file at once.

    A file that cannot be had stops no other one, but a server that cannot be reached does.
    """
    outcome = Outcome(folder, asked)
    tools = replace(tools, say=progress.say, show=progress.show)
    busy = f"Another `evalkit fetch` is at work in {folder}. Wait until it has ended, or give another --out."
    for why in asked.reasons:
        print(cleaned(f"evalkit: {why}"), file=sys.stderr)
    with environment_faults(f"fetching into {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
        with only_one(folder / LOCK, busy):
            records = read_register(folder)
            try:
                for wanted in asked.files:
                    _fetch_one(wanted, outcome, records, tools, progress)
            except Unreachable as problem:
                outcome.failed |= {one.key: str(problem) for one in _left(outcome)}
                print(f"evalkit: {problem}", file=sys.stderr)
            except KeyboardInterrupt:
                outcome.is_interrupted = True
                progress.end()
                print(_interrupted(outcome), file=sys.stderr)
            finally:
                progress.end()
    return outcome


def _fetch_one(
    wanted: Wanted, outcome: Outcome, records: dict[str, Record], tools: Tools, progress: FetchProgress
) -> None:
    progress.begin(wanted.places[0].name)
    folder = Folder(path=outcome.folder, records=records, moment=datetime.now(UTC))
    try:
        found = fetch_file(wanted, folder, tools)
    except Unreachable:
        raise
    except InputError as problem:
        progress.end()
        outcome.failed[wanted.key] = str(problem)
        print(f"evalkit: {problem}", file=sys.stderr)
        return
    for key in [key for key, one in records.items() if one.file == found.record.file and key != wanted.key]:
        del records[key]
    records[wanted.key] = found.record
    write_register(outcome.folder, records)
    outcome.fetched.append(found)


def _left(outcome: Outcome) -> list[Wanted]:
    done = {one.record.key for one in outcome.fetched} | set(outcome.failed)
    return [one for one in outcome.plan.files if one.key not in done]


# What a reader sees.


def _interrupted(outcome: Outcome) -> str:
    """Return what is there, and from where the same command goes on."""
    parts = [Part(outcome.folder / place.name) for one in _left(outcome) for place in one.places]
    begun = [f"{part.path.name} ({shown_bytes(part.size())})" for part in parts if part.size()]
    rest = f"; {', '.join(begun)} is a part, from which the same command goes on" if begun else ""
    return cleaned(
        f"\nInterrupted. {counted(len(outcome.fetched), 'file')} of {len(outcome.plan.files)} whole{rest}. "
        "What was there before stands as it was."
    )


def _said(outcome: Outcome) -> list[str]:
    lines = [_line(one) for one in outcome.fetched]
    if outcome.failed:
        lines.append(f"{counted(len(outcome.failed), 'file')} could not be had; the same command asks for them again.")
    if outcome.fetched and not outcome.is_interrupted:
        folder = _shown(outcome.folder)
        lines.append(f"Next: `evalkit import {folder}` reads what is there into the store, and says what each file is;")
        lines.append(f"or name the folder to a project: `evalkit check PROJECT --data {folder}`.")
    return lines


def _line(one: Fetched) -> str:
    record = one.record
    version = f", version {record.data_set_version}" if record.data_set_version else ""
    kept = f"; the file before it is kept as {one.kept}" if one.kept else ""
    size = shown_bytes(record.bytes)
    return f"{_STATES[one.state]:13} {record.file}  ({size}{version}, SHA-256 {record.sha256[:12]}…){kept}"


def _shown(folder: Path) -> str:
    here = Path.cwd()
    text = str(folder.relative_to(here)) if folder.is_relative_to(here) else str(folder)
    return f"'{text}'" if " " in text else text


def _json(outcome: Outcome) -> dict[str, Any]:
    files = [asdict(one.record) | {"state": one.state, "kept": one.kept} for one in outcome.fetched]
    return {
        "schema_version": SCHEMA_VERSION,
        "folder": str(outcome.folder),
        "files": files,
        "not_asked_for": list(outcome.plan.reasons),
        "failed": [{"key": key, "reason": why} for key, why in outcome.failed.items()],
        "is_interrupted": outcome.is_interrupted,
    }


def _listed(chosen: Sequence[Source]) -> list[str]:
    lines: list[str] = []
    for source in chosen:
        lines += [f"{source.name}: {source.title} ({source.publisher})", f"  {source.confirmed}"]
        lines += [f"  read in: {source.read_in}"] if source.read_in else []
        lines += [f"  {one.name:22}{one.url}" for one in source.addresses]
        lines += [f"  by hand: {source.page}", ""]
    return [*lines, "{year} is a summer, {school_year} such as 2018-2019, {la} an authority or 0, {date} a day."]
