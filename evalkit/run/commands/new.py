"""The options of `evalkit new`."""

from __future__ import annotations

TYPE_CHECKING = False  # see `catalogue`
if TYPE_CHECKING:
    from evalkit.run.commands.options import Options
    from evalkit.run.commands.reading import Given

DESCRIPTION = "Make a folder under data/projects with a project file in which everything to fill in is marked."
EXAMPLES = {"evalkit new reading-hubs-2018": "makes data/projects/reading-hubs-2018/project.yml"}
EPILOG = "Then fill it in, and type: evalkit check SLUG"


def add_options(parser: Options) -> None:
    """Give a parser the options of `evalkit new`."""
    parser.add_argument("slug", metavar="SLUG", help="lower-case letters, digits and hyphens")


def refuse(given: Given) -> None:
    """Refuse nothing."""
