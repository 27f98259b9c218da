"""`evalkit migrate`: a project file of the first version as it should be now, its comments where they were."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from evalkit.core.errors import InputError, ProjectError
from evalkit.data.locks import write_whole
from evalkit.run.processes.failure import environment_faults
from evalkit.run.project.plain_yaml import plain_yaml, read_text, shown_name
from evalkit.run.project.project_file import project_of
from evalkit.run.project.workspace import project_file

if TYPE_CHECKING:
    from evalkit.run.commands.options import Given

_ANALYSES: Final = "analyses:\n  - name: main\n    kind: areas\n    primary: true\n"
_KINDS: Final = ("local_authority", "file")


def migrate_command(given: Given) -> int:
    """Print a project file of version 1 as one of version 2, or with `--write` put it in its place; return 0."""
    path = project_file(given.project)
    text = migrated(read_text(path), path)
    if not given.write:
        print(text, end="")
        return 0
    kept = path.with_suffix(".v1.yml")
    if kept.exists() or kept.is_symlink():
        raise InputError(f"{kept.name} is there already and is left alone. Move it away, or print without --write.")
    with environment_faults(f"writing {path.name}"):
        write_whole(kept, path.read_bytes())
        write_whole(path, text.encode("utf-8"))
    print(path)
    print(f"The file as it was is {kept.name}. Then type: evalkit check {given.project}", file=sys.stderr)
    return 0


@dataclass(frozen=True, slots=True)
class _Edit:
    """Letters of a text to be replaced, from one place to another."""

    start: int
    end: int
    text: str


def migrated(text: str, path: Path) -> str:
    """Return the text of a project file of version 1 as one of version 2; everything else stays as it is.

    Raises
    ------
    ProjectError
        Where the file is of another version, or is none that version 2 could read: every complaint is told, with its
        line in the new text.
    """
    name = shown_name(path)
    data = plain_yaml(text, name).data
    if not isinstance(data, dict) or data.get("schema_version") != 1:
        found = data.get("schema_version", "none") if isinstance(data, dict) else "none"
        raise ProjectError(
            f"{name}: `evalkit migrate` brings a file of version 1 to version 2, and this file's `schema_version` is "
            f"{found}. There is nothing to do."
        )
    new = _edited(text, name)
    try:
        project_of(plain_yaml(new, name), path.parent)
    except InputError as problem:
        raise type(problem)(
            f"{problem}\nThese stood in the file before; lines are those of the file as it would be now. Correct them "
            "and migrate again."
        ) from None
    return new


def _edited(text: str, name: str) -> str:
    root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    keys = {key.value: (key, value) for key, value in root.value}
    if root.flow_style:
        raise ProjectError(
            f"{name}: the whole file stands in braces. Write each key on a line of its own and try again."
        )
    edits = [_Edit(*_span(keys["schema_version"][1]), "2")]
    if "participants" in keys and isinstance(keys["participants"][1], yaml.MappingNode):
        edits += _of_participants(text, keys["participants"][1])
    if "analyses" not in keys:
        at = _line_after(text, keys.get("outcomes", keys["schema_version"])[1])
        end = "\r\n" if "\r\n" in text else "\n"
        missing = "" if text[at - 1] == "\n" else end
        edits.append(_Edit(at, at, missing + f"\n{_ANALYSES}".replace("\n", end)))
    for edit in sorted(edits, key=lambda one: one.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _of_participants(text: str, node: Any) -> Iterator[_Edit]:
    """Yield what changes of the participants: `areas` in the place of the area's code, and no rule."""
    held = {key.value: (key, value) for key, value in node.value}
    empty = ("", "null", "~")
    if "rule" in held and held["rule"][1].value in _KINDS:
        yield _without(text, node, *held["rule"])
    if "local_authority" in held:
        key, value = held["local_authority"]
        if value.value in empty:
            yield _without(text, node, key, value)
        else:
            yield _Edit(key.start_mark.index, value.end_mark.index, f"areas: [{value.value}]")
    if "file" in held and held["file"][1].value in empty and len(held) > 1:
        yield _without(text, node, *held["file"])


def _without(text: str, node: Any, key: Any, value: Any) -> _Edit:
    """Return the edit that takes a key out: its line but for a comment, or its part of a list in braces."""
    start, end = key.start_mark.index, value.end_mark.index
    if node.flow_style:
        while end < len(text) and text[end] in " ,\n":
            end += 1
        return _Edit(start, end, "")
    rest = text[end : _end_of_line(text, end)]
    if "#" in rest:
        return _Edit(start, end + rest.index("#"), "")
    return _Edit(text.rindex("\n", 0, start) + 1, min(_end_of_line(text, end) + 1, len(text)), "")


def _span(node: Any) -> tuple[int, int]:
    return node.start_mark.index, node.end_mark.index


def _line_after(text: str, node: Any) -> int:
    """Return where the line after a value begins; comments that follow it belong to what comes next."""
    return min(_end_of_line(text, _last(node)) + 1, len(text))


def _last(node: Any) -> int:
    """Return where the last letter of a value ends: a list in lines ends with its last member."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _last(last[1] if isinstance(last, tuple) else last)


def _end_of_line(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found
