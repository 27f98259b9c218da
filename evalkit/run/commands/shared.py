"""Options that several commands have, and what is refused of them."""

from __future__ import annotations

from evalkit.core.errors import InputError

TYPE_CHECKING = False  # see `catalogue`
if TYPE_CHECKING:
    from typing import Any, Final

    from evalkit.run.commands.options import Given

PROJECT: Final = "slug, or path of a project.yml"
TABLE: Final = "a .csv, .csv.gz or .parquet file"
MOST_WORKERS: Final = 256
KINDS: Final = (".html", ".docx", ".pdf", ".csv")
"""What every command on a table can write."""


def add_data_options(parser: Any) -> None:
    """Give a parser the options `--data` and `--synthetic`, which `DataChoice` reads."""
    default = "default: that of the project file or of the last report, else the synthetic England"
    parser.add_argument("--data", metavar="DIR", help=f"folder of published files ({default})")
    parser.add_argument("--synthetic", action="store_true", help="the synthetic England: made-up schools")


def refuse_data(given: Given) -> None:
    """Raise `InputError` where the options name two kinds of data."""
    if given.data is not None and given.synthetic:
        raise InputError("--data names published files and --synthetic asks for made-up schools. Give one of them.")


def add_where_options(group: Any) -> None:
    """Give a parser's group the options that say who carries out replications."""
    group.add_argument("-j", dest="jobs", type=int, metavar="N", help="processes that share replications (default: 1)")
    group.add_argument("--scheduler", metavar="ADDRESS", help="Dask scheduler, or its file, whose workers share them")


def add_output_options(group: Any, *, main_table: str, kinds: tuple[str, ...] = KINDS) -> None:
    """Give a parser or a group of its options `--out`, `--json` and `--quiet`.

    `main_table` says in a few words what a CSV file holds: `the effects by cohort and period`.
    """
    endings = f"{', '.join(kinds[:-1])} or {kinds[-1]}"
    meaning = f"also write FILE, whose name ends in {endings}; .csv holds {main_table}"
    group.add_argument("--out", metavar="FILE", help=meaning)
    group.add_argument("--json", action="store_true", help="print one JSON object")
    group.add_argument("--quiet", action="store_true", help="no progress, and with --out no text either")


def refuse_where(given: Given, idle: str = "") -> None:
    """Raise `InputError` where the options exclude each other, or nothing is replicated, `idle` saying why."""
    if given.jobs is not None and given.scheduler is not None:
        raise InputError("-j shares replications out on this machine and --scheduler on a cluster. Give one of them.")
    if given.jobs is not None and not 1 <= given.jobs <= MOST_WORKERS:
        raise InputError(f"-j is a number of processes from 1 to {MOST_WORKERS}, not {given.jobs}.")
    if given.scheduler is not None and not given.scheduler.strip():
        raise InputError("--scheduler was given as an empty text. Give tcp://HOST:PORT, or leave the option out.")
    if idle and (given.scheduler is not None or (given.jobs or 1) > 1):
        raise InputError(f"{'--scheduler' if given.scheduler else '-j'} shares out replications, and {idle}.")


def refuse_level(level: float | None) -> None:
    """Raise `InputError` for a level of intervals outside 0 to 1."""
    if level is not None and not 0 < level < 1:
        raise InputError(f"--level lies between 0 and 1, not at {level:g}. The usual one is 0.95.")


def refuse_seed(seed: int | None) -> None:
    """Raise `InputError` for a seed below 0."""
    if seed is not None and seed < 0:
        raise InputError(f"--seed is a whole number from 0 on, not {seed}.")


def option_name(name: str) -> str:
    """Return an option as it is typed."""
    return "--" + name.replace("_", "-")


def count(text: str) -> int:
    """Return a number of projects at once; raise `InputError` for a text that is none."""
    if not text.strip().isdecimal() or not 1 <= int(text) <= 1024:
        raise InputError(f"'{text}' is no number of projects at once. Give a whole number from 1 on.")
    return int(text)


def above_zero(text: str) -> float:
    """Return a limit; raise `InputError` for a text that is no number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e6:
        raise InputError(f"'{text}' is no number above 0.")
    return number
