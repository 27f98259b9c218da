"""Who shows nouns as HTML, tables and figures: a room above, which is loaded when the first is shown."""

from __future__ import annotations

TYPE_CHECKING = False  # the package's root loads this, and nothing else
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from evalkit.core.shown import ModelTable


class Viewer:
    """How nouns are shown: functions of a room above, which alone knows tables and figures.

    `html` gives a noun as HTML, None where it knows no way to; `frame` and `figure` one of its tables and figures by
    name, the main one for an empty name; `model` its coefficients and statistics. `bundle` gives all that a notebook
    keeps of a noun, the record that a report is read back from among it.
    """

    __slots__ = ("bundle", "figure", "frame", "html", "model")

    def __init__(
        self,
        *,
        html: Callable[[object], str | None],
        frame: Callable[[object, str], Any],
        figure: Callable[[object, str], Any],
        model: Callable[[object], ModelTable],
        bundle: Callable[[object], dict[str, object] | None] | None = None,
    ) -> None:
        self.html, self.frame, self.figure, self.model, self.bundle = html, frame, figure, model, bundle


_viewers: list[Viewer] = []


def set_viewer(viewer: Viewer | None) -> None:
    """Let nouns be shown by `viewer`; with None they say what they are in text alone."""
    _viewers[:] = [] if viewer is None else [viewer]


def viewed(noun: object) -> str | None:
    """Return a noun as HTML, None where nobody knows how to show it."""
    return _viewers[0].html(noun) if _viewers else None


def bundled(noun: object) -> dict[str, object] | None:
    """Return what a notebook keeps of a noun, None where nobody knows how to show it."""
    bundle = _viewers[0].bundle if _viewers else None
    return bundle(noun) if bundle is not None else None


def viewer() -> Viewer:
    """Return who shows nouns; raise `EvalkitError` where nobody does."""
    if not _viewers:
        from evalkit.core.errors import EvalkitError

        raise EvalkitError("Nothing is set that knows tables and figures. `import evalkit` sets it.")
    return _viewers[0]
