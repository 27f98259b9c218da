"""The project's own files, as the architecture tests read them."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "evalkit"


def modules() -> list[Path]:
    """Return every module of the kit."""
    return sorted(PACKAGE.rglob("*.py"))


def shown(path: Path) -> str:
    """Return a path as a reader of a test's message wants it."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    """Return a module's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def project_files() -> list[Path]:
    """Return the files that git tracks or would track; those on disk where there is no git."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode == 0:
        found = [ROOT / name for name in answer.stdout.split("\0") if name]
    else:
        folders = ("evalkit", "tests", "notebooks", "docs", "tools", "data/projects")
        found = [path for folder in folders for path in (ROOT / folder).rglob("*")] + list(ROOT.glob("*.*"))
    return sorted(path for path in found if path.is_file() and "__pycache__" not in path.parts)
