"""Keep the outputs whose bytes a change of structure must not change, and compare two such keepings.

    python tools/keep_outputs.py keep FOLDER [--data DIR] [--only NAME]
    python tools/keep_outputs.py compare BEFORE AFTER

`keep` types every command into the evalkit of this Python, in a workspace of its own, and keeps what it gave:

- of two projects (Knowsley, and a list of schools in six areas chosen by rule), on the synthetic England and with
  --data on the published files too: results.json, design.json, every CSV, and `check` and `power` as JSON;
- of each call in kept_calls.py: standard output, the exit code, the CSV of --out; of refusals the text of the error.
  With --data its neighbour `golden`, a folder of reference tables, is read as well where it is there.

Left out, as they differ by machine, code or day: manifest.json (versions, the commit, a hash of the code), the log of
runs, pages, documents, notebooks and pictures; and of standard error the lines of progress, which tell seconds.
`compare` lists every file that differs, is missing or is new. Exit codes: 0 none; 1 some; 2 nothing to compare. `keep`
ends with 1 where a call gave another exit code than it should, as two keepings of one failure would agree.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import importlib.util
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kept_calls import CALLS, GOLDEN_CALLS, write_tables

ROOT = Path(__file__).resolve().parents[1]
KNOWSLEY = ROOT / "data" / "projects" / "knowsley-ssif"
LISTED = "six-areas"
N_AREAS, N_SCHOOLS, SMALLEST_AREA = 6, 8, 40
PROGRESS = re.compile(r"^\[ *[\d.]+ (s|min|h)\] .*\n?", re.MULTILINE)


@dataclass(frozen=True)
class Ran:
    """What one command gave."""

    code: int
    out: bytes
    err: str


@dataclass(frozen=True)
class Workspace:
    """A folder in which commands run; the same names in it every time, so that no output tells where it is."""

    root: Path

    def typed(self, words: list[str]) -> Ran:
        """Type an evalkit command and return what it gave."""
        environment = {key: text for key, text in os.environ.items() if key != "PYTHONHASHSEED"}
        command = [sys.executable, "-m", "evalkit", *words]
        done = subprocess.run(
            command, capture_output=True, cwd=self.root, env={**environment, "COLUMNS": "120"}, check=False
        )
        return Ran(done.returncode, done.stdout, PROGRESS.sub("", done.stderr.decode("utf-8")))

    def synthetic(self) -> Path:
        """Return the synthetic England, which the first command that reads it makes."""
        if not (found := sorted((self.root / "data" / "processed").glob("synthetic-*/performance-tables"))):
            self.typed(["check", "knowsley-ssif", "--synthetic"])
            found = sorted((self.root / "data" / "processed").glob("synthetic-*/performance-tables"))
        return found[0].parent


def numbers_of_2019(data: Path, stage: str, measure: str) -> Iterator[tuple[int, str]]:
    """Yield area and URN of every school with a number in 2019, from the panel of England or the published table."""
    panel = data / "panel" / f"{stage}_school_panel_2016_2019_england.csv.gz"
    table = data / "performance-tables" / stage / f"2018-2019_england_{stage}final.csv"
    held = gzip.decompress(panel.read_bytes()) if panel.exists() else table.read_bytes()
    for row in csv.DictReader(io.StringIO(held.decode("utf-8-sig"), newline="")):
        area, is_of_2019 = row.get("LA") or row.get("LEA"), row.get("YEAR", "2019") == "2019"
        if area and is_of_2019 and row["URN"] and re.fullmatch(r"-?\d+(\.\d+)?", row[measure] or ""):
            yield int(float(area)), row["URN"]


def listed_schools(data: Path) -> list[str]:
    """Return schools of six areas spread over the codes of large ones: eight primaries of each, and one secondary."""
    primaries: dict[int, list[str]] = {}
    for area, urn in numbers_of_2019(data, "ks2", "READPROG"):
        primaries.setdefault(area, []).append(urn)
    large = sorted(area for area, urns in primaries.items() if len(urns) >= SMALLEST_AREA)
    if len(large) < N_AREAS:
        raise SystemExit(
            f"{data}: only {len(large)} areas have {SMALLEST_AREA} primaries, of {N_AREAS} that are needed."
        )
    chosen = large[:: len(large) // N_AREAS][:N_AREAS]
    secondaries: dict[int, str] = {}
    for area, urn in sorted(numbers_of_2019(data, "ks4", "P8MEA")):
        secondaries.setdefault(area, urn)
    return [urn for area in chosen for urn in (*sorted(primaries[area])[:N_SCHOOLS], secondaries.get(area, "")) if urn]


def write_listed(folder: Path, data: Path) -> None:
    """Write the Knowsley project again with a list of schools for its participants."""
    shutil.copytree(KNOWSLEY, folder)
    (folder / "participants.csv").write_text("URN\n" + "\n".join(listed_schools(data)) + "\n", encoding="utf-8")
    text = (folder / "project.yml").read_text(encoding="utf-8").replace("slug: knowsley-ssif", f"slug: {folder.name}")
    rule = "areas: [340] # Knowsley"
    assert rule in text
    text = text.replace(rule, "file: participants.csv")
    (folder / "project.yml").write_text(text, encoding="utf-8")


def keep_run(ran: Ran, folder: Path, *, is_refusal: bool = False) -> None:
    """Write what a command gave into a folder of its own."""
    folder.mkdir(parents=True)
    (folder / "stdout").write_bytes(ran.out)
    (folder / "exit").write_text(f"{ran.code}\n", encoding="utf-8")
    if is_refusal:
        (folder / "stderr").write_text(ran.err, encoding="utf-8", newline="")


def keep_project(space: Workspace, slug: str, kind: str, folder: Path) -> Iterator[str]:
    """Keep a project's numbers on one kind of data, and yield the commands that failed."""
    source = ["--synthetic"] if kind == "synthetic" else ["--data", "published"]
    project = space.root / "data" / "projects" / slug
    if not project.exists():
        data = space.synthetic() if kind == "synthetic" else space.root / "published"
        write_listed(project, data)
    for command in ("check", "power"):
        ran = space.typed([command, slug, *source, "--json"])
        keep_run(ran, folder / command)
        yield from wrong(f"{command} {slug} {kind}", ran, 0)
    ran = space.typed(["run", slug, *source, "--out", f"out-{kind}"])
    yield from wrong(f"run {slug} {kind}", ran, 0)
    made = space.root / f"out-{kind}" / slug
    for path in sorted((*made.glob("*.json"), *made.rglob("*.csv"))):
        if path.name != "manifest.json":
            kept = folder / "run" / path.relative_to(made)
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, kept)


def keep_call(space: Workspace, name: str, words: str, folder: Path) -> Iterator[str]:
    """Keep what one call gave, and yield its name where it ended otherwise than it should."""
    is_refusal, out = name.startswith("refused/"), space.root / "out.csv"
    out.unlink(missing_ok=True)
    ran = space.typed(shlex.split(words))
    keep_run(ran, folder, is_refusal=is_refusal)
    if out.exists():
        shutil.copyfile(out, folder / "out.csv")
    yield from wrong(name, ran, 2 if is_refusal else 0)


def wrong(name: str, ran: Ran, code: int) -> Iterator[str]:
    """Yield a line where a command ended with another exit code than it should."""
    if ran.code != code:
        yield f"{name}: exit code {ran.code}, not {code}: {ran.err.strip()[-300:]}"


def steps(space: Workspace, data: Path | None, folder: Path) -> dict[str, Iterator[str]]:
    """Return everything that is kept by its name; nothing runs before it is asked for."""
    kinds = ["synthetic"] if data is None else ["synthetic", "published"]
    projects = {
        f"projects/{kind}/{slug}": keep_project(space, slug, kind, folder / "projects" / kind / slug)
        for kind in kinds
        for slug in ("knowsley-ssif", f"{LISTED}-{kind}")
    }
    calls = {**CALLS, **(GOLDEN_CALLS if (space.root / "golden").exists() else {})}
    return {**projects, **{name: keep_call(space, name, words, folder / name) for name, words in calls.items()}}


def make_workspace(root: Path, data: Path | None) -> Workspace:
    """Fill a folder with the project, the tables and ways to the published files."""
    shutil.copytree(KNOWSLEY, root / "data" / "projects" / KNOWSLEY.name)
    if data is not None:
        (root / "published").symlink_to(data.resolve())
        if (golden := data.resolve().parent / "golden").is_dir():
            (root / "golden").symlink_to(golden)
    write_tables(root / "tables", root / "golden")
    return Workspace(root)


def keep(folder: Path, data: Path | None, only: str) -> int:
    """Keep every output whose name holds `only` in an empty folder, and return the exit code."""
    if folder.exists() and any(folder.iterdir()):
        print(f"{folder} holds files already: give a new folder.", file=sys.stderr)
        return 2
    if data is not None and not data.is_dir():
        print(f"{data}: there is no such folder.", file=sys.stderr)
        return 2
    kit = importlib.util.find_spec("evalkit")
    print(f"evalkit of {kit.origin if kit else 'no'} file", file=sys.stderr)
    failed, began = [], time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        space = make_workspace(Path(temporary).resolve() / "space", data)
        shutil.copytree(space.root / "tables", folder / "tables", ignore=shutil.ignore_patterns("*.parquet"))
        for name, step in steps(space, data, folder).items():
            if only in name:
                failed += list(step)
                print(f"[{time.monotonic() - began:6.1f} s] {name}", file=sys.stderr, flush=True)
    print(f"{len(files(folder))} files in {folder}")
    print("\n".join(failed), end="\n" if failed else "")
    return 1 if failed else 0


def files(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file below a folder by its name there."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def differences(before: Path, after: Path) -> Iterator[str]:
    """Yield a line for each file that differs, is missing or is new."""
    old, new = files(before), files(after)
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield f"missing  {name}"
        elif name not in old:
            yield f"new      {name}"
        elif old[name] != new[name]:
            yield f"differs  {name}: {first_difference(old[name], new[name])}"


def first_difference(old: bytes, new: bytes) -> str:
    """Return the first line in which two contents differ, each cut to eighty characters."""
    one, other = old.split(b"\n"), new.split(b"\n")
    at = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    if at is None:
        return f"{len(one)} lines, then {len(other)}"
    said = [lines[at].decode("utf-8", "replace").strip()[:80] for lines in (one, other)]
    return f"line {at + 1}: {said[0]} → {said[1]}"


def compare(before: Path, after: Path) -> int:
    """Print what differs between two keepings and return the exit code."""
    for folder in (before, after):
        if not folder.is_dir() or not files(folder):
            print(f"{folder} holds no kept outputs: make them by `keep`.", file=sys.stderr)
            return 2
    found = list(differences(before, after))
    print("\n".join(found), end="\n" if found else "")
    print(f"{len(files(before))} files before, {len(files(after))} after; {len(found)} differ, are missing or are new")
    return 1 if found else 0


def main() -> int:
    """Keep, or compare, as the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, dest="command")
    keeping = commands.add_parser("keep", help="run everything and keep its outputs")
    keeping.add_argument("folder", type=Path)
    keeping.add_argument("--data", type=Path, help="folder of published files; without one, the synthetic England only")
    keeping.add_argument("--only", default="", metavar="NAME", help="only what has this in its name, such as did/")
    comparing = commands.add_parser("compare", help="list what differs between two keepings")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    asked = parser.parse_args()
    if asked.command == "compare":
        return compare(asked.before, asked.after)
    return keep(asked.folder, asked.data, asked.only)


if __name__ == "__main__":
    sys.exit(main())
