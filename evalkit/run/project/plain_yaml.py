"""YAML reduced to plain data: no tags, no anchors, no repeated keys, and the line of every value."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from unicodedata import category

import yaml

from evalkit.core.errors import InputError, ProjectError
from evalkit.run.processes.failure import environment_faults

Place = tuple[str | int, ...]
"""Keys and list positions that lead to a value."""


def where(place: Place) -> str:
    """Return a place as messages call it: `programme.sources[1].title`."""
    return "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in place).removeprefix(".")


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong at a place; `is_design` where the comparison, not the writing, is at fault."""

    place: Place
    text: str
    is_design: bool = False


# YAML reduced to plain data: no tags, no anchors, no repeated keys, and the line of every value.

MOST_BYTES: Final = 256 * 1024


class PlainYaml:
    """The data of one YAML file, and the line on which each value stands."""

    __slots__ = ("data", "lines", "name")

    def __init__(self, data: object, lines: dict[Place, int], name: str) -> None:
        self.data, self.lines, self.name = data, lines, name

    def line(self, place: Place) -> int | None:
        """Return the line of a value, or that of the nearest place around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place) if place else None


def _refused(problem: str, where: yaml.Node | yaml.Event) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=where.start_mark)  # type: ignore[arg-type]


class _Loader(yaml.SafeLoader):
    """A loader that resolves text to null, true, false and decimal numbers only; dates stay text."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refused("anchors and aliases (& and *) are not used here", event)
        if getattr(event, "tag", None):
            raise _refused(f"the tag {event.tag} is refused: a project file is plain data", event)
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]{0,18})", list("-+0123456789")),
    ("float", r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?", list("-+0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})$"), _first)


def shown_name(path: Path) -> str:
    """Return a file's name with that of its folder, as messages give it."""
    return f"{path.parent.name}/{path.name}" if path.parent.name else path.name


def read_text(path: Path) -> str:
    """Return a small UTF-8 text file; raise `InputError` where it is missing, large or in another encoding."""
    name = shown_name(path)
    if not path.is_file():
        raise InputError(f"{name}: there is no such file. Looked in {path.parent}.")
    with environment_faults(f"reading {name}"), path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ProjectError(f"{name}: the file is larger than {MOST_BYTES // 1024} KB; a project's text file never is.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise ProjectError(f"{name}, line {line}: the file is not in UTF-8. Save it as UTF-8 and try again.") from None


def read_plain_yaml(path: Path) -> PlainYaml:
    """Read a YAML file as plain data; raise `ProjectError` for anything a reviewer could not read at sight."""
    return plain_yaml(read_text(path), shown_name(path))


def plain_yaml(text: str, name: str) -> PlainYaml:
    """Return the text of a YAML file as plain data; `name` is the file's in messages, errors are as when read."""
    lines: dict[Place, int] = {}
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                raise ProjectError(f"{name}: the file is empty. `evalkit new SLUG` writes one to start from.")
            return PlainYaml(_plain(loader, node, (), lines), lines, name)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        where = f"{name}, line {mark.line + 1}" if mark else name
        what = str(problem.problem or problem.context)
        if r"'\t'" in what:
            what = "a tab stands where YAML takes blanks only; indent with blanks"
        raise ProjectError(f"{where}: {what}. Correct the line and try again.") from None
    except yaml.YAMLError as problem:
        raise ProjectError(f"{name}: this is not YAML ({' '.join(str(problem).split())[:200]}).") from None
    except RecursionError:
        raise ProjectError(f"{name}: lists are nested too deeply to be a project file.") from None


def _plain(loader: _Loader, node: yaml.Node, place: Place, lines: dict[Place, int]) -> object:
    lines[place] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, place, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(loader, item, (*place, i), lines) for i, item in enumerate(node.value)]
    value = loader.construct_object(node)
    if isinstance(value, float) and not math.isfinite(value):
        raise _refused(f"{node.value} is not a finite number", node)
    if isinstance(value, str) and any(category(letter) == "Cc" and letter not in "\n\t" for letter in value):
        raise _refused("the text has a control character", node)
    return value


def _mapping(loader: _Loader, node: yaml.MappingNode, place: Place, lines: dict[Place, int]) -> dict[str, object]:
    data: dict[str, object] = {}
    for key_node, value_node in node.value:
        key = key_node.value
        if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != "tag:yaml.org,2002:str":
            raise _refused("a key must be a word", key_node)
        if key in data:
            raise _refused(f"the key '{key}' stands here a second time", key_node)
        data[key] = _plain(loader, value_node, (*place, key), lines)
        lines[(*place, key)] = key_node.start_mark.line + 1
    return data
