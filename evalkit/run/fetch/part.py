"""What has come of a file so far, as NAME.part, and what says whether the rest may be put behind it."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from evalkit.data.locks import write_whole

PART = ".part"
ABOUT = ".part-about"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a server said of a file as it began to send it; `total` are its bytes, None where it did not say."""

    url: str
    etag: str = ""
    last_modified: str = ""
    encoding: str = ""
    total: int | None = None

    @property
    def validator(self) -> str:
        """What tells this very file from a later one, empty where nothing does: a weak ETag does not."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified


@dataclass(frozen=True, slots=True)
class Part:
    """The beginning of a file that is being fetched, beside the place that it will have."""

    target: Path

    @property
    def path(self) -> Path:
        """Where the bytes are."""
        return self.target.with_name(self.target.name + PART)

    @property
    def _about(self) -> Path:
        return self.target.with_name(f".{self.target.name}{ABOUT}")

    def size(self) -> int:
        """Return how many bytes have come."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def origin(self, url: str) -> Origin | None:
        """Return what the bytes are of, None where that is not known or they are of another address."""
        try:
            found = Origin(**json.loads(self._about.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        is_sound = isinstance(found.etag, str) and isinstance(found.last_modified, str)
        return found if is_sound and found.url == url and self.size() else None

    def begin(self, origin: Origin) -> None:
        """Begin anew: what came before is gone."""
        self.discard()
        write_whole(self._about, json.dumps(asdict(origin)).encode())
        self.path.touch()

    def discard(self) -> None:
        """Remove the bytes and what was known of them."""
        for path in (self.path, self._about):
            with suppress(FileNotFoundError):
                path.unlink()

    def become(self, place: Path) -> None:
        """Put the whole file under its name, in one step."""
        self.path.replace(place)
        self.discard()
