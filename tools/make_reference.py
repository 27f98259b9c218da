"""Write the pages of the documentation that are made of the code itself, as the site is built: build/reference/.

    python tools/make_reference.py [FOLDER]

Commands with every option, `project.yml` key by key, keys of results.json, Python names, and authorities' codes. They
are made anew each time, so that none can be out of date; the repository has none of them.
"""

from __future__ import annotations

import csv
import inspect
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import evalkit
from evalkit.core import errors
from evalkit.run.commands.catalogue import COMMANDS
from evalkit.run.commands.options import options_of

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "reference"
PROJECT_SCHEMA = ROOT / "data" / "projects" / "project.schema.json"
RESULTS_SCHEMA = ROOT / "evalkit" / "report" / "templates" / "results.schema.json"
AUTHORITIES = ROOT / "evalkit" / "data" / "areas" / "authorities.csv"


def main(arguments: list[str]) -> int:
    """Write every page into a folder, by default that of the site."""
    write(Path(arguments[0]) if arguments else FOLDER)
    return 0


def write(folder: Path) -> None:
    """Write every page into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in (
        ("command-options", commands()),
        ("project-keys", project_keys()),
        ("results-keys", results_keys()),
        ("python-names", python_names()),
        ("errors", error_classes()),
        ("authority-codes", authority_codes()),
    ):
        text = "\n".join(page).rstrip() + "\n"
        path = folder / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            beside = path.with_suffix(f".{os.getpid()}")
            beside.write_text(text, encoding="utf-8")
            beside.replace(path)


def cell(text: object) -> str:
    """Return a text as it may stand in a cell of a table."""
    return str(text).replace("|", "\\|").replace("<", "&lt;").replace("\n", " ").strip()


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Return a table, with an empty line after it."""
    names = list(head)
    yield "| " + " | ".join(names) + " |"
    yield "|" + "---|" * len(names)
    for row in rows:
        yield "| " + " | ".join(cell(value) for value in row) + " |"
    yield ""


# Commands


def commands() -> Iterator[str]:
    """Return the page of every command with its options, in the order of use."""
    yield "# Every command and its options"
    yield "\nAs `evalkit COMMAND --help` prints them. [Commands](../../docs/reference/commands.md) says what they do.\n"
    for name, command in COMMANDS.items():
        said, options = command.declared, options_of(name, command)
        yield f"## evalkit {name}\n"
        yield f"{said.description}\n"
        yield f"```text\n{options.usage().removeprefix('usage: ')}\n```\n"
        rows = [(f"`{one.shown}`", one.help) for one in options]
        yield from table(("option", "meaning"), rows) if rows else ()
        yield from (f"- `{line}`: {meaning}" for line, meaning in said.examples.items())
        yield f"\n{said.epilog}\n"


# The project file


def project_keys() -> Iterator[str]:
    """Return the page of every key of a project file: what it may hold, its default, its meaning."""
    schema = json.loads(PROJECT_SCHEMA.read_text(encoding="utf-8"))
    yield "# `project.yml`, key by key"
    yield "\nMade of the schema that editors use. [The page in words](../../docs/reference/project-file.md) explains.\n"
    yield "## At the top\n"
    yield from _keys(schema)
    yield from _parts(schema)


def _parts(schema: Mapping[str, Any]) -> Iterator[str]:
    """Return a section for each named part of a schema: its keys, or what it may be where it has none."""
    for name, part in schema["$defs"].items():
        yield f"## {_heading(name)}\n"
        yield f"{part.get('description', '')}\n"
        yield from _keys(part) if "properties" in part else (f"Holds: {type_of(part)}.\n",)


def _heading(name: str) -> str:
    return f"An analysis of the kind {name.split('_')[1]}" if name.startswith("Analysis_") else name


def _keys(part: Mapping[str, Any]) -> Iterator[str]:
    needed = part.get("required", [])
    rows = [
        (f"`{key}`", type_of(said), default_of(said, key in needed), said.get("description", ""))
        for key, said in part["properties"].items()
    ]
    return table(("key", "holds", "default", "meaning"), rows)


def type_of(said: Mapping[str, Any]) -> str:
    """Return in words what a part of a schema allows."""
    if "$ref" in said:
        name = _heading(said["$ref"].rsplit("/", 1)[1])
        return f"[{name}](#{name.lower().replace(' ', '-').replace('_', '-')})"
    if "const" in said:
        return f"`{json.dumps(said['const'])}`"
    if "enum" in said:
        return " or ".join(f"`{json.dumps(value)}`" for value in said["enum"])
    for several in ("anyOf", "oneOf"):
        if several in said:
            return " or ".join(dict.fromkeys(type_of(one) for one in said[several]))
    if said.get("type") == "array":
        return f"list of {type_of(said['items'])}" if said.get("items") else "list"
    words = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false",
             "null": "nothing", "object": "keys"}  # fmt: skip
    return words.get(said.get("type", ""), "anything")


def default_of(said: Mapping[str, Any], is_needed: bool) -> str:
    """Return the default of a key as YAML would have it."""
    if is_needed:
        return "needed"
    return f"`{json.dumps(said['default'], ensure_ascii=False)}`" if "default" in said else "its own defaults"


# Results


def results_keys() -> Iterator[str]:
    """Return the page of the keys of results.json, from its schema."""
    schema = json.loads(RESULTS_SCHEMA.read_text(encoding="utf-8"))
    yield "# `results.json`, key by key"
    yield "\nMade of its JSON Schema. [The page in words](../../docs/reference/results.md) says what the keys mean.\n"
    yield "## At the top\n"
    yield from _keys(schema)
    yield from _parts(schema)


# Python


def python_names() -> Iterator[str]:
    """Return the page of the public names: how each is called and the first sentence of what it says of itself."""
    yield "# Python names"
    yield "\nWhat stands at `evalkit.`; `help(evalkit.NAME)` has arguments, units, errors and sources.\n"
    named = ((name, getattr(evalkit, name)) for name in sorted(evalkit.__all__) if not name.startswith("_"))
    rows = ((f"`{name}{_signature(known)}`", (inspect.getdoc(known) or "").split("\n\n")[0]) for name, known in named)
    yield from table(("name", "what it is"), rows)


def _signature(known: object) -> str:
    if not inspect.isfunction(known):
        return ""
    return f"({', '.join(inspect.signature(known).parameters)})"


def error_classes() -> Iterator[str]:
    """Return the page of what can go wrong, by class and exit code."""
    yield "# Errors"
    yield "\nEvery message says what is wrong, where, and what to do next. In Python all are errors of the class"
    yield "`evalkit.core.errors.EvalkitError`; on the command line they end it with this code, and no traceback.\n"
    known = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, errors.EvalkitError)]
    rows = sorted((one.exit_code, f"`{one.__name__}`", (one.__doc__ or "").split("\n\n")[0]) for one in known)
    yield from table(("exit code", "error", "what it means"), rows)


def authority_codes() -> Iterator[str]:
    """Return the page of local authorities: code, name and region as the kit knows them."""
    yield "# Codes of local authorities"
    yield "\nAs `participants: {areas: …}` takes them: codes or names.\n"
    with AUTHORITIES.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    yield from table(head, rows)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
