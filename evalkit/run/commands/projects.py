"""The options of `evalkit projects`."""

from __future__ import annotations

TYPE_CHECKING = False  # see `catalogue`
if TYPE_CHECKING:
    from evalkit.run.commands.options import Options
    from evalkit.run.commands.reading import Given

DESCRIPTION = "List the projects of the workspace with their titles."
EXAMPLES = {"evalkit projects": "one line for each folder under data/projects"}
EPILOG = "`evalkit status` says what became of each."


def add_options(parser: Options) -> None:
    """Give a parser the options of `evalkit projects`: none."""


def refuse(given: Given) -> None:
    """Refuse nothing."""
