"""The options of the commands that check finished runs, and what cannot be asked of them."""

from __future__ import annotations

from evalkit.core.errors import InputError
from evalkit.run.commands.options import PROJECT, Declared, add_output_options

TYPE_CHECKING = False  # see `catalogue`
if TYPE_CHECKING:
    from typing import Final

    from evalkit.run.commands.options import Given, Options

RUN: Final = "folder of a run's outputs, slug of one in outputs/, or a pack"


def _add_verify_options(parser: Options) -> None:
    """Give a parser the options of `evalkit verify`."""
    parser.add_argument("run", metavar="RUN", help=RUN)
    parser.add_argument(
        "--project", metavar="FILE", help="the project file (default: found where it was, else from the manifest)"
    )
    parser.add_argument(
        "--data", metavar="DIR", help="folder in which the published files are found by SHA-256 (default: as it was)"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="with the locked packages and the run's own code, installed afresh"
    )
    add_output_options(parser, main_table="the numbers of effects that moved")


VERIFY: Final = Declared(
    _add_verify_options,
    description=(
        "Make a finished run again from its manifest, in a folder of its own, and say what is the same to the byte, "
        "what differs and by how much, and why. The run itself is never written to."
    ),
    examples={
        "evalkit verify outputs/knowsley-ssif": "with this kit and the data of the run",
        "evalkit verify knowsley-ssif --data published --out check.html": "with files found there; also as a page",
        "evalkit verify knowsley-ssif.pack.zip --data published --fresh": "from a pack, in a new environment",
    },
    epilog="""\
Exit code 0 where every number is the same, within 1e-9 of its size, and made of the same files; 1 where one is not, or
the run could not be made again, or a pack is not as it was made; 2 where no run is named. --fresh needs the lock file,
and the packages from where pip or uv are set to look for them.
""",
)


def _add_compare_options(parser: Options) -> None:
    """Give a parser the options of `evalkit compare`."""
    parser.add_argument("run_a", metavar="RUN_A", help=RUN)
    parser.add_argument("run_b", metavar="RUN_B", help="the other one")
    parser.add_argument(
        "--data", metavar="DIR", help="folder in which the published files of both are found (default: as they were)"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="cross the code too: each run again with the other's, installed afresh"
    )
    add_output_options(parser, main_table="each block's part of each difference")


def _refuse_compare(given: Given) -> None:
    """Raise `InputError` where a run is compared with itself."""
    if given.run_a == given.run_b:
        raise InputError("RUN_A and RUN_B are one and the same. Name two runs.")


COMPARE: Final = Declared(
    _add_compare_options,
    description=(
        "Say what differs between two runs in data, code and choices, and which part of the difference in each effect "
        "is due to which."
    ),
    examples={
        "evalkit compare outputs/knowsley-ssif earlier/knowsley-ssif": "two runs, on the data they were made from",
        "evalkit compare mine theirs.pack.zip --data published --out compare.html": "with a pack; also as a page",
        "evalkit compare a/mine b/mine --json": "as JSON, for a program",
    },
    epilog="""\
Choices are crossed in blocks: with up to four that differ every combination is run, and each block's part is its
Shapley share, first-in and last-in beside it; with more, one order and its reverse. What code and packages do is what
remains, unless --fresh runs that as well. Exit code 0 where nothing differs, 1 where something does, 2 where no run is
named.
""",
    refuse=_refuse_compare,
)


def _add_pack_options(parser: Options) -> None:
    """Give a parser the options of `evalkit pack`."""
    parser.add_argument("project", metavar="PROJECT", help=PROJECT)
    parser.add_argument("--outputs", metavar="DIR", help="where the reports are (default: outputs)")
    parser.add_argument("--out", metavar="FILE", help="the archive (default: <slug>.pack.zip in the current folder)")
    parser.add_argument(
        "--participants", action="store_true", help="the list of participants may be published, and goes in"
    )
    parser.add_argument(
        "--people", action="store_true", help="units of the project are people: counts under 10 are withheld"
    )


PACK: Final = Declared(
    _add_pack_options,
    description=(
        "Make one archive for a repository or a journal, after the Data and Code Availability Standard: project, code, "
        "lock, manifest, the outputs that may leave, and how to get the data, which do not travel."
    ),
    examples={
        "evalkit pack knowsley-ssif": "knowsley-ssif.pack.zip, of the report in outputs/knowsley-ssif",
        "evalkit pack tutoring --participants --out deposit.zip": "with the list of schools, which is public",
    },
    epilog="""\
The same report gives the same archive to the byte. `evalkit verify FILE.zip --data DIR` makes the run again from it.
Tables of the project's own never go in; their names and SHA-256 do.
""",
)
