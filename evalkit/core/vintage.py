"""What a report was made from, and whether its project is still as it was then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

State = Literal["current", "changed", "renamed", "gone", "not known"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vintage:
    """What a report was made from: version and commit of the kit, hash of its data, day, and the state of its project.

    `state` compares the project's files with those the report was made from: `current`, `changed` since, `renamed`
    where it bears another slug now, `gone`, or `not known` where it cannot be told where the project is. What is not
    known is an empty text.
    """

    kit: str = ""
    commit: str = ""
    data: str = ""
    made: str = ""
    state: State = "not known"

    @property
    def label(self) -> str:
        """Return the vintage in words: `evalkit 0.1.0, commit 1f19207, data 3fa9c1d2, 2026-11-29`."""
        commit = self.commit[:7] + (" (changed)" if "(changed)" in self.commit else "")
        parts = (("evalkit", self.kit), ("commit", commit), ("data", self.data[:8]), ("", self.made))
        said = ", ".join(f"{word} {value or 'not known'}".strip() for word, value in parts)
        return f"{said}. {STATES[self.state]}".strip() if STATES[self.state] else said


STATES: Final[dict[State, str]] = {
    "current": "",
    "changed": "Its project has changed since.",
    "renamed": "Its project has another slug now.",
    "gone": "Its project is gone.",
    "not known": "",
}
"""What is said beside a report of the state of its project."""
