"""How hard the house is to find one's way in, as a table in Markdown.

    python tools/measure_house.py [FOLDER]

counts files, lines and imports of the package in FOLDER (default: evalkit). An import is one that runs when the module
is loaded: those inside functions, or for type checkers alone, are left out. The depth of a module is the longest chain
of imports below it; modules that import each other count as one.
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

NINE_IN_TEN = 0.9


def modules(package: Path) -> dict[str, Path]:
    """Return every file of a package by the name it is imported by."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def at_load(body: list[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports that run when a module is loaded."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.unparse(node.test):
            yield from at_load([*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            yield from at_load([*node.body, *node.orelse, *node.finalbody])


def imports_of(path: Path, known: dict[str, Path]) -> set[str]:
    """Return the modules of the same package that a file imports."""
    found = set()
    for node in at_load(ast.parse(path.read_text(encoding="utf-8")).body):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in known else node.module for name in whole}
    return found & known.keys()


def groups_of(imports: dict[str, set[str]]) -> list[set[str]]:
    """Return modules that import each other (Tarjan, 1972), every group after those it imports."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    open_: list[str] = []
    groups: list[set[str]] = []

    def visit(name: str) -> None:
        order[name] = low[name] = len(order)
        open_.append(name)
        for other in sorted(imports[name]):
            if other not in order:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in open_:
                low[name] = min(low[name], order[other])
        if low[name] == order[name]:
            at = open_.index(name)
            groups.append(set(open_[at:]))
            del open_[at:]

    for name in sorted(imports):
        if name not in order:
            visit(name)
    return groups


def depth_of(imports: dict[str, set[str]]) -> int:
    """Return the longest chain of imports, in groups of modules."""
    depth: dict[str, int] = {}
    for group in groups_of(imports):
        below = {other for name in group for other in imports[name]} - group
        level = 1 + max((depth[other] for other in below), default=0)
        depth |= dict.fromkeys(group, level)
    return max(depth.values(), default=0)


def house(package: Path) -> Iterator[tuple[str, str]]:
    """Yield each measure with its value."""
    known = modules(package)
    texts = {name: path.read_text(encoding="utf-8") for name, path in known.items()}
    lines = sorted(len(text.splitlines()) for text in texts.values())
    folders = Counter(path.parent for path in known.values() if path.name != "__init__.py")
    imports = {name: imports_of(path, known) - {name} for name, path in known.items()}
    importers = Counter(other for found in imports.values() for other in found)
    classes = [node.name for text in texts.values() for node in ast.walk(ast.parse(text)) if _is_class(node)]
    homes = Counter(classes)
    circles = [group for group in groups_of(imports) if len(group) > 1]
    yield "files", f"{len(known):,}"
    yield "lines", f"{sum(lines):,}"
    spread = f"{statistics.median(lines):.0f} / {lines[int(NINE_IN_TEN * len(lines))]} / {lines[-1]}"
    yield "lines a file (median, 90th percentile, longest)", spread
    yield (
        "files of the three largest folders",
        ", ".join(f"{folder.relative_to(package.parent)} {n}" for folder, n in folders.most_common(3)),
    )
    yield "import depth", str(depth_of(imports))
    yield "imports a module", f"{statistics.mean(len(found) for found in imports.values()):.1f}"
    yield "modules with one importer", str(sum(n == 1 for n in importers.values()))
    yield "circles of files", str(len(circles))
    yield (
        "classes (private ones; names with two homes)",
        (f"{len(classes):,} ({sum(name.startswith('_') for name in classes)}; {sum(n > 1 for n in homes.values())})"),
    )


def _is_class(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef)


if __name__ == "__main__":
    print("| measure | value |\n|---|---|")
    for name, value in house(Path(sys.argv[1] if len(sys.argv) > 1 else "evalkit")):
        print(f"| {name} | {value} |")
