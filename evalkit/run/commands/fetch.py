"""The options of `evalkit fetch`, and what cannot be asked of it."""

from __future__ import annotations

from evalkit.core.errors import InputError
from evalkit.run.commands.options import Declared

TYPE_CHECKING = False  # see `catalogue`
if TYPE_CHECKING:
    from typing import Final

    from evalkit.run.commands.options import Given, Options

SOURCES: Final = ("performance-tables", "ees", "gias", "gias-links", "boundaries")
"""Sources whose addresses stand in `run/fetch/addresses.yml`."""


def add_options(parser: Options) -> None:
    """Give a parser the options of `evalkit fetch`."""
    parser.add_argument("source", nargs="?", choices=SOURCES, metavar="SOURCE", help=", ".join(SOURCES))
    parser.add_argument("--list", action="store_true", dest="is_list", help="list sources and addresses, fetch nothing")
    what = parser.add_argument_group("what is fetched")
    what.add_argument(
        "--years",
        nargs="+",
        action="extend",
        default=[],
        metavar="YEARS",
        help="summers, such as 2017-2019,2022; 2018/19 is the summer of 2019",
    )
    what.add_argument(
        "--la",
        nargs="+",
        action="extend",
        default=[],
        metavar="LA",
        help="authorities by number or name, such as 340,Knowsley (default: England)",
    )
    what.add_argument(
        "--only",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME",
        help="of a source these files alone, such as ks2,ks4; --list names them",
    )
    where = parser.add_argument_group("from where, and where to")
    where.add_argument("--out", metavar="DIR", help="folder that the files go to (default: data/raw)")
    where.add_argument("--addresses", metavar="FILE", help="YAML or JSON with other addresses, source by source")
    where.add_argument("--json", action="store_true", help="print one JSON object")
    where.add_argument("--quiet", action="store_true", help="no progress")


def refuse(given: Given) -> None:
    """Raise `InputError` where no source is named, or something is asked of the list."""
    if given.source is None and not given.is_list:
        raise InputError(f"Name a source: {', '.join(SOURCES)}. `evalkit fetch --list` says what each holds.")
    if given.is_list and (given.years or given.la or given.out is not None):
        raise InputError("--list fetches nothing. Leave --years, --la and --out out of it.")
    if given.is_list and given.only and given.source is None:
        raise InputError("--only names files of one source. Name the source before --list too.")


FETCH: Final = Declared(
    add_options,
    description="Fetch public files as they are published, checked and registered; what is there already is kept.",
    examples={
        "evalkit fetch --list": "what can be fetched, from where, and when that was last confirmed",
        "evalkit fetch performance-tables --years 2017-2019 --la 340,Surrey": "key stages 2, 4 and 5 of two areas",
        "evalkit fetch performance-tables --years 2019,2023 --only ks4": "one key stage, all England",
        "evalkit fetch gias --out published": "today's list of schools, into another folder",
    },
    epilog="""\
A file stands under its name only once it is whole: until then it is NAME.part, from which the same command goes on. A
second call fetches only what has changed; the old file is kept in .evalkit-earlier, which no reader looks into.
evalkit-fetched.json beside the files says where each came from, when, and its SHA-256. Nothing but the request itself
is sent.
""",
    refuse=refuse,
)
