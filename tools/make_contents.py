"""Write the tables of contents of the kit's folders: what each `__init__` says a reader finds in which file.

    python tools/make_contents.py

What stands before the list is left as it is; each entry is the first paragraph of its file's docstring.
"""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "evalkit"
WIDTH = 118


def main() -> None:
    """Rewrite every table of contents but the root's, which lists the public names instead."""
    for path in sorted(PACKAGE.rglob("__init__.py"), key=lambda path: -len(path.parts)):
        if path.parent != PACKAGE:
            path.write_text(with_contents(path), encoding="utf-8")


def with_contents(path: Path) -> str:
    """Return the text of an `__init__` with its list made anew."""
    text = path.read_text(encoding="utf-8")
    module = ast.parse(text)
    body = "".join(text.splitlines(keepends=True)[module.body[0].end_lineno or 0 :])
    before = [part for part in paragraphs(module) if not part.startswith("- `")]
    entries = [line for name, says in sorted(contents(path.parent)) for line in wrapped(f"- `{name}`: {says}")]
    docstring = "\n\n".join(before) + ("\n\n" + "\n".join(entries) + "\n" if entries else "")
    return f'"""{docstring}"""\n{body}'


def contents(folder: Path) -> list[tuple[str, str]]:
    """Return each file and room of a folder with the first paragraph of its docstring on one line."""
    files = [(path.stem, path) for path in folder.glob("*.py") if path.name != "__init__.py"]
    rooms = [(f"{path.parent.name}/", path) for path in folder.glob("*/__init__.py")]
    parsed = [(name, ast.parse(path.read_text(encoding="utf-8"))) for name, path in (*files, *rooms)]
    return [(name, " ".join(paragraphs(module)[0].split())) for name, module in parsed]


def paragraphs(module: ast.Module) -> list[str]:
    """Return the paragraphs of a module's docstring."""
    return (ast.get_docstring(module) or "").strip().split("\n\n")


def wrapped(entry: str) -> list[str]:
    """Return an entry as lines that fit."""
    return textwrap.wrap(entry, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


if __name__ == "__main__":
    main()
