"""Every key of a project file has one block; what differs is told by block; projects are mixed block by block."""

import copy

import pytest

from evalkit.core.errors import EvalkitError
from evalkit.run.kinds.names import KINDS
from evalkit.run.kinds.registry import RESERVED
from evalkit.run.project.project_file import load_project, project_data, project_schema
from evalkit.run.review.blocks import _BLOCK_OF, _OF_KEYS, BLOCKS, block_of, choice_changes, mixed
from tests.conftest import ROOT

SCHEMA = project_schema()


def resolved(schema):
    """Return a part of the schema with what it points at, of a choice the part that has keys."""
    if "$ref" in schema:
        return resolved(SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]])
    for one in schema.get("anyOf", ()):
        found = resolved(one)
        if "properties" in found:
            return found
    return schema


def keys(schema, path=()):
    """Yield every path of keys below a part of the schema; a list is one key, as its entries change together."""
    for name, inner in resolved(schema).get("properties", {}).items():
        below = list(keys(inner, (*path, name)))
        yield from below or [(*path, name)]


def project_paths():
    top = {**SCHEMA, "properties": {key: one for key, one in SCHEMA["properties"].items() if key != "analyses"}}
    return [("", path) for path in keys(top)]


def analysis_paths():
    for one in SCHEMA["properties"]["analyses"]["items"]["oneOf"]:
        part = resolved(one)
        kind = part["properties"]["kind"]["const"]
        yield from ((kind, ("analyses", *path)) for path in keys(part))


EVERY = [*project_paths(), *analysis_paths()]


def test_the_schema_was_read():
    assert len(EVERY) > 150
    assert {kind for kind, _ in EVERY} == {"", *KINDS}
    assert ("", ("pool", "neighbours")) in EVERY
    assert ("areas", ("analyses", "pool", "neighbours")) in EVERY


def test_every_key_of_a_project_file_belongs_to_one_block():
    without = []
    for kind, path in EVERY:
        try:
            assert block_of(path, kind) in BLOCKS
        except EvalkitError:
            without.append((kind, ".".join(path)))
    assert without == []  # a new key: give it the block whose change it is, in evalkit/run/review/blocks.py


def test_a_key_that_is_new_has_no_block():
    for path in (("pool", "new"), ("analyses", "new"), ("programme", "new"), ("new",), ("participants", "new")):
        with pytest.raises(EvalkitError, match="belongs to no block"):
            block_of(path, "areas")


def test_no_key_stands_in_two_blocks_and_none_is_left_of_an_older_schema():
    listed = [key for names in _OF_KEYS.values() for key in names.split()]
    assert len(listed) == len(set(listed)) == len(_BLOCK_OF)
    known = {".".join(path) for _, path in EVERY} | {f"analyses.{kind}.{path[1]}" for kind, path in EVERY if kind}
    known |= {".".join(one) for one in RESERVED} | {".".join(path[1:]) for kind, path in EVERY if kind}
    assert [key for key in listed if not any(one == key or one.startswith(f"{key}.") for one in known)] == []


@pytest.fixture(scope="module")
def knowsley():
    return project_data(load_project(ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml"))


def changed(parameters, change):
    made = copy.deepcopy(parameters)
    change(made)
    return made


def test_what_differs_is_told_with_its_block(knowsley):
    def change(made):
        made["pool"]["neighbours"] = "may_2025"
        made["inference"]["statistic"] = "studentised"
        made["analyses"][0]["families"] = [{"name": "all"}]
        made["title"] = "Another"

    found = choice_changes(knowsley, changed(knowsley, change))
    assert [(one.block, one.field) for one in found] == [
        ("words", "title"),
        ("comparison", "pool.neighbours"),
        ("inference", "inference.statistic"),
        ("inference", "analyses.main.families"),
    ]
    assert (found[1].a, found[1].b) == ("april_2021", "may_2025")
    assert choice_changes(knowsley, knowsley) == ()


def test_projects_are_mixed_block_by_block(knowsley):
    def change(made):
        made["pool"]["neighbours"] = "may_2025"
        made["pool"]["minimum_treated"] = 5
        made["cost"] = None
        made["analyses"].append({"name": "matched", "kind": "matched", "primary": False, "ratio": 3})

    other = changed(knowsley, change)
    assert mixed(knowsley, other, frozenset()) == knowsley
    assert mixed(knowsley, other, frozenset(BLOCKS)) == other
    part = mixed(knowsley, other, frozenset({"comparison"}))
    assert part == changed(knowsley, lambda made: made["pool"].update(neighbours="may_2025"))
    assert len(mixed(knowsley, other, frozenset({"method"}))["analyses"]) == 2
