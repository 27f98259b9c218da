"""The options of `evalkit plan` and `evalkit lock`: the plan before outcomes, and its seal."""

from __future__ import annotations

from evalkit.core.errors import InputError
from evalkit.run.commands.options import PROJECT, Declared, add_data_options, refuse_data

TYPE_CHECKING = False  # see `catalogue`
if TYPE_CHECKING:
    from typing import Final

    from evalkit.run.commands.options import Given, Options


def _add_plan_options(parser: Options) -> None:
    """Give a parser the options of `evalkit plan`."""
    parser.add_argument("project", metavar="PROJECT", help=PROJECT)
    add_data_options(parser)
    parser.add_argument("--out", metavar="DIR", help="where it is written (default: plan/ beside the project file)")


PLAN: Final = Declared(
    _add_plan_options,
    description=(
        "Write the statistical analysis plan of a project as a page, for Word and as PDF, from its file and the years "
        "before the programme; no later result is read."
    ),
    examples={
        "evalkit plan knowsley-ssif": "into data/projects/knowsley-ssif/plan",
        "evalkit plan knowsley-ssif --data published --out draft": "from the published files, into a folder of its own",
    },
    epilog="""\
The plan has the words, tables and numbers that the report will have: background, design, estimand, sample, outcomes,
analysis with its equation, inference, missing data, subgroups, checks with their thresholds, least detectable effects,
which result will be called what, and every table of results with its cells left blank. registry-entry.md beside it is
a draft for the Evaluation Registry. Prints the path of the page.
""",
    refuse=refuse_data,
)


def _add_lock_options(parser: Options) -> None:
    """Give a parser the options of `evalkit lock`."""
    parser.add_argument("project", metavar="PROJECT", help=PROJECT)
    add_data_options(parser)
    parser.add_argument("--timestamp", metavar="URL", help="have a time-stamping service (RFC 3161) vouch for the date")
    parser.add_argument("--tag", action="store_true", help="make a git tag whose message holds the seal")
    parser.add_argument("--amend", metavar="WHY", help="take the place of the lock that stands, and keep its seal")


def _refuse_lock(given: Given) -> None:
    """Raise `InputError` where an option has a value that is none."""
    refuse_data(given)
    if given.timestamp is not None and not given.timestamp.startswith(("https://", "http://")):
        raise InputError(f"--timestamp is the address of a service, such as https://…, not '{given.timestamp}'.")
    if given.amend is not None and not given.amend.strip():
        raise InputError('--amend says why the plan is locked anew. Give the reason: --amend "why".')


LOCK: Final = Declared(
    _add_lock_options,
    description=(
        "Seal a project's plan in plan.lock.json beside its file: every choice, pool and sample, code, versions, files "
        "and the plan itself. Reports then print what was done otherwise, field by field."
    ),
    examples={
        "evalkit lock knowsley-ssif": "with the date of this machine's clock",
        "evalkit lock knowsley-ssif --tag --timestamp https://freetsa.org/tsr": "with a date that others vouch for",
        'evalkit lock knowsley-ssif --amend "one school closed"': "once more; the earlier seal and the reason are kept",
    },
    epilog="""\
With `plan: required` in the project file no result of a year after the programme began is read before this. Files with
outcomes are hashed, not read. A second lock over one that stands is refused without --amend.
""",
    refuse=_refuse_lock,
)
