"""Rooms inside the rooms: a folder holds one idea, its `__init__` says what stands where, kernels see arrays."""

import ast
import importlib.util
import re

import pytest
from source_tree import PACKAGE, ROOT, modules, shown, tree

MOST_FILES = 22
"""Files of a folder, its table of contents left out."""
DEEPEST = 24
MOST_IN_ALL = 700  # layouts, layers of a kind, plan, bounds, checks of runs: docs/decisions/0027, 0028
ROOMS = sorted(path.parent for path in PACKAGE.rglob("__init__.py"))


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("measure_house", ROOT / "tools" / "measure_house.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def imports(tool):
    """The modules of the kit that each one imports when it is loaded."""
    known = tool.modules(PACKAGE)
    return {name: tool.imports_of(path, known) - {name} for name, path in known.items()}


@pytest.mark.parametrize("room", ROOMS, ids=shown)
def test_a_folder_holds_some_twenty_files_at_most(room):
    assert len([path for path in room.glob("*.py") if path.name != "__init__.py"]) <= MOST_FILES


@pytest.mark.parametrize("room", [room for room in ROOMS if room != PACKAGE], ids=shown)
def test_the_table_of_contents_names_every_file_and_room_and_nothing_else(room):
    contents = ast.get_docstring(tree(room / "__init__.py")) or ""
    named = re.findall(r"^- `([^`]+)`", contents, flags=re.MULTILINE)
    files = [path.stem for path in room.glob("*.py") if path.name != "__init__.py"]
    rooms = [f"{path.parent.name}/" for path in room.glob("*/__init__.py")]
    assert sorted(named) == sorted([*files, *rooms])


def test_the_house_stays_as_easy_to_find_ones_way_in(tool, imports):
    assert tool.depth_of(imports) <= DEEPEST
    assert [group for group in tool.groups_of(imports) if len(group) > 1] == []
    assert len(imports) <= MOST_IN_ALL


def joins_only(module: ast.Module) -> bool:
    """Return whether a module defines nothing and only passes on what it imports."""
    rest = [node for node in module.body if not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr)]
    names = [node for node in rest if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"]
    return len(rest) == len(names) and len(rest) < len(module.body) - 1


def test_a_module_that_only_passes_on_is_told_from_one_that_defines():
    assert joins_only(ast.parse('"""A."""\nfrom x import y\n__all__ = ["y"]'))
    assert not joins_only(ast.parse('"""A."""\nfrom x import y\nz = y'))
    assert not joins_only(ast.parse('"""A table of contents."""'))


def test_no_module_only_joins_others():
    assert [shown(path) for path in modules() if path.name != "__init__.py" and joins_only(tree(path))] == [
        "evalkit/__main__.py"
    ] * joins_only(tree(PACKAGE / "__main__.py"))


def loads_pandas(tool, name: str) -> bool:
    """Return whether a module imports pandas when it is loaded."""
    nodes = tool.at_load(ast.parse(tool.modules(PACKAGE)[name].read_text(encoding="utf-8")).body)
    return any("pandas" in {(getattr(node, "module", None) or alias.name) for alias in node.names} for node in nodes)


def below(imports: dict[str, set[str]], name: str) -> set[str]:
    """Return a module and everything that is loaded with it."""
    met, rest = set(), [name]
    while rest:
        if (one := rest.pop()) not in met:
            met.add(one)
            rest += imports[one]
    return met


def test_kernels_see_arrays_and_load_no_tables(tool, imports):
    kernels = [name for name in imports if name.endswith("_arrays")]
    assert len(kernels) > 15
    broken = {name: sorted(one for one in below(imports, name) if loads_pandas(tool, one)) for name in kernels}
    assert {name: found for name, found in broken.items() if found} == {}


def test_a_module_that_loads_tables_is_seen(tool):
    assert loads_pandas(tool, "evalkit.data.panel")
    assert not loads_pandas(tool, "evalkit.core.words")
