"""SHA-256 of files by content, each read once, and of published files as the store keeps it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from evalkit.data.store.in_use import kept_sha256
from evalkit.run.project.workspace import default_store


class Hashes:
    """SHA-256 of files by content; each file is read once in the life of the object."""

    def __init__(self) -> None:
        self._known: dict[Path, str] = {}
        self._trees: dict[Path, str] = {}

    def of(self, path: Path) -> str:
        """Return the SHA-256 of a file."""
        if path not in self._known:
            with path.open("rb") as file:
                self._known[path] = hashlib.file_digest(file, "sha256").hexdigest()
        return self._known[path]

    def of_published(self, path: Path) -> str:
        """Return the SHA-256 of a published file, as the store keeps it where the file is the one that was imported."""
        if path not in self._known and (kept := kept_sha256(default_store(), path)):
            self._known[path] = kept
        return self.of(path)

    def of_tree(self, folder: Path) -> str:
        """Return one SHA-256 for every file below a folder, by name and content; what Python compiles is left out."""
        if folder not in self._trees:
            files = [path for path in folder.rglob("*") if "__pycache__" not in path.parts and path.is_file()]
            content = json.dumps(hashed_below(tuple(sorted(files)), folder, self))
            self._trees[folder] = hashlib.sha256(content.encode()).hexdigest()
        return self._trees[folder]


def hashed_below(files: tuple[Path, ...], folder: Path, hashes: Hashes) -> dict[str, str]:
    """Return the SHA-256 of files by their path below a folder; those that are not there are left out."""
    return {path.relative_to(folder).as_posix(): hashes.of(path) for path in files if path.exists()}
