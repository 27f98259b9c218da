"""The options of the commands on projects and on the shell, in the order of use, and what cannot be asked of them."""

from __future__ import annotations

from evalkit.core.errors import InputError
from evalkit.run.commands.options import (
    PROJECT,
    Declared,
    above_zero,
    add_data_options,
    add_output_options,
    add_where_options,
    count,
    refuse_data,
    refuse_where,
)
from evalkit.run.kinds.names import KINDS

TYPE_CHECKING = False  # see `catalogue`
if TYPE_CHECKING:
    from typing import Final

    from evalkit.run.commands.options import Given, Options


def _add_import_options(parser: Options) -> None:
    """Give a parser the options of `evalkit import`."""
    parser.add_argument("folder", metavar="DIR", help="folder of files as they were downloaded")
    parser.add_argument("--store", metavar="DIR", help="where the store is or is to be (default: data/processed)")
    parser.add_argument("--json", action="store_true", help="print every file as JSON")


IMPORT: Final = Declared(
    _add_import_options,
    description=(
        "Read every file below a folder into a local store, and say of each what it is, or why it is not used. Files "
        "are told by their content, never by name or place."
    ),
    examples={
        "evalkit import downloads": "into data/processed; a second time only what changed is read",
        "evalkit import downloads --store national --json": "into a store of its own, the list as JSON",
    },
    epilog="""\
Read are .csv (also .gz, with commas, semicolons or tabs, UTF-8 or Windows-1252), .parquet, .xlsx, .xls, .ods and
.geojson, and all of these in .zip archives. Of two files for one thing the later stage is used: final over one that
does not say, over revised, over provisional; two of one stage with other contents are both refused. The store keeps
every cell as published, and the SHA-256 of every file. An import that is stopped leaves the store as it was; a second
one waits until the first has ended. Exit code 2 where nothing can be used.
""",
)


def _add_new_options(parser: Options) -> None:
    """Give a parser the options of `evalkit new`."""
    parser.add_argument("slug", metavar="SLUG", help="lower-case letters, digits and hyphens")
    parser.add_argument(
        "--kind",
        choices=tuple(KINDS),
        default="areas",
        help="kind of its analysis (default: areas); others can be added",
    )


NEW: Final = Declared(
    _add_new_options,
    description="Make a folder under data/projects with a project file in which everything to fill in is marked.",
    examples={
        "evalkit new reading-hubs-2018": "makes data/projects/reading-hubs-2018/project.yml",
        "evalkit new tutoring --kind matched": "listed schools, each compared with schools like it",
        "evalkit new waves --kind staggered": "schools that start in different years",
        "evalkit new absence --kind series": "whole areas, followed over the years before and after",
        "evalkit new one-city --kind synthetic": "one area or few, against a weighted average of others",
        "evalkit new tutoring --kind pupils": "a table of pupils in schools",
        "evalkit new coaching --kind dose": "schools that had more of it, and schools that had less",
        "evalkit new grades --kind transitions": "categories, such as inspectors' grades, before and after",
        "evalkit new audit --kind survey": "what people in schools answered, in one or two waves",
        "evalkit new partnership --kind contribution": "a theory of change, and the evidence for its links",
    },
    epilog="Then fill it in, and type: evalkit check SLUG",
)


def _add_migrate_options(parser: Options) -> None:
    """Give a parser the options of `evalkit migrate`."""
    parser.add_argument("project", metavar="FILE", help="path of a project.yml of version 1, or a slug")
    parser.add_argument(
        "--write", action="store_true", help="put it in the file's place, and keep the old one as .v1.yml"
    )


MIGRATE: Final = Declared(
    _add_migrate_options,
    description="Print a project file of version 1 as it should be now; comments stay, and so does every choice.",
    examples={
        "evalkit migrate data/projects/mine/project.yml": "prints it",
        "evalkit migrate mine --write": "puts it in the file's place; the old one is project.v1.yml",
    },
)


def _add_check_options(parser: Options) -> None:
    """Give a parser the options of `evalkit check`."""
    parser.add_argument("project", nargs="?", metavar="PROJECT", help=f"{PROJECT}; without one the files of --data")
    add_data_options(parser)
    parser.add_argument("--json", action="store_true", help="write what was found as JSON")


def _refuse_check(given: Given) -> None:
    """Raise `InputError` where two options exclude each other, or nothing is named."""
    if given.project is None and given.data is None:
        raise InputError(
            "Name the project to check, or with --data the folder whose files are to be listed. "
            "`evalkit projects` lists the projects there are."
        )
    refuse_data(given)


CHECK: Final = Declared(
    _add_check_options,
    description="Read everything that a project names, estimate nothing, and say what was found.",
    examples={
        "evalkit check knowsley-ssif": "on the data of its last report, or on made-up schools",
        "evalkit check knowsley-ssif --data published": "on the published files in a folder",
        "evalkit check --data published": "every file in a folder: what it is, or why it is not used",
        "evalkit check knowsley-ssif --json": "as JSON, for a program",
    },
    refuse=_refuse_check,
)


def _add_power_options(parser: Options) -> None:
    """Give a parser the options of `evalkit power`."""
    parser.add_argument("project", metavar="PROJECT", help=PROJECT)
    add_data_options(parser)
    parser.add_argument(
        "--level", type=float, metavar="L", help="level of the test's interval (default: the project's)"
    )
    parser.add_argument("--power", type=float, default=0.8, metavar="P", help="power asked for (default: 0.8)")
    parser.add_argument(
        "--simulations", type=int, default=1000, metavar="N", help="most placebo sets in the simulation (default: 1000)"
    )
    add_output_options(parser, main_table="the least detectable effects by outcome")
    add_where_options(parser)


def _refuse_power(given: Given) -> None:
    """Raise `InputError` where two options exclude each other."""
    refuse_data(given)
    refuse_where(given)


POWER: Final = Declared(
    _add_power_options,
    description="Say which effects a project's design could detect, from the years before the programme alone.",
    examples={
        "evalkit power knowsley-ssif": "with 80% probability, at the project's own level",
        "evalkit power knowsley-ssif --power 0.9 --simulations 5000": "with 90%, and a finer simulation",
    },
    refuse=_refuse_power,
)


def _add_rehearse_options(parser: Options) -> None:
    """Give a parser the options of `evalkit rehearse`."""
    parser.add_argument("project", metavar="PROJECT", help=PROJECT)
    add_data_options(parser)
    add_output_options(parser, main_table="what the design finds of each outcome")


REHEARSE: Final = Declared(
    _add_rehearse_options,
    description=(
        "Make a project's primary analysis as if the programme had run in every other area: what it finds where "
        "nothing happened, how often it is wrong, and which effects it would find."
    ),
    examples={
        "evalkit rehearse knowsley-ssif": "on the years before the programme; after `evalkit lock` on the real years",
        "evalkit rehearse knowsley-ssif --out rehearsal.html": "as a page",
    },
    epilog="""\
Schools are listed elsewhere as the project lists them: by `participants.rule`, as many like the list, or whole areas.
Until the plan is locked no year after the programme began is read; the last year before it stands for the years after.
""",
    refuse=refuse_data,
)


def _add_run_options(parser: Options) -> None:
    """Give a parser the options of `evalkit run`."""
    parser.add_argument("projects", nargs="*", metavar="PROJECT", help=PROJECT)
    parser.add_argument("--all", action="store_true", dest="is_all", help="every project under data/projects/")
    add_data_options(parser)
    parser.add_argument("--out", metavar="DIR", help="the report goes to DIR/<slug>/ (default: outputs)")
    parser.add_argument(
        "-j", "--jobs", type=count, metavar="N", help="projects at once (default: by cores and free memory)"
    )
    parser.add_argument("--force", action="store_true", help="make reports again whose inputs have not changed")
    parser.add_argument("--dry-run", action="store_true", help="say what would be run and why, and run nothing")
    parser.add_argument(
        "--shard", metavar="I/N", help="only the I-th of N parts of the projects, in order of their slugs"
    )
    parser.add_argument(
        "--time-limit", type=above_zero, metavar="MINUTES", help="end a project that takes longer (default: 60)"
    )
    parser.add_argument("--memory-limit", type=above_zero, metavar="GB", help="end a project that holds more")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="run on the workers of a Dask cluster, at this address")


def _refuse_run(given: Given) -> None:
    """Raise `InputError` where two options exclude each other, or nothing is named."""
    if given.is_all == bool(given.projects):
        raise InputError("Name the projects to run, or give --all, and not both. `evalkit projects` lists them.")
    if given.jobs and given.scheduler:
        raise InputError("-j is for this machine and --scheduler for a cluster, which has its own. Give one of them.")
    refuse_data(given)


RUN: Final = Declared(
    _add_run_options,
    description="Evaluate projects and write their reports; one whose report is of these very inputs is left as it is.",
    examples={
        "evalkit run knowsley-ssif --data published": "one report, outputs/knowsley-ssif/report.html",
        "evalkit run --all --dry-run": "what would be run, and why; nothing is",
        "evalkit run --all -j 4 --time-limit 30": "every project, four at once, half an hour for each",
        "evalkit run --all --shard 2/8": "the second of eight parts, for a job of its own",
    },
    epilog="""\
The standard output has the path of the report, or for several projects a table; what goes on stands on standard error,
and at its end the answer in a sentence. What became of each project is kept in _runs/ beside the reports.
""",
    refuse=_refuse_run,
)


def _add_status_options(parser: Options) -> None:
    """Give a parser the options of `evalkit status`."""
    parser.add_argument("--out", metavar="DIR", help="where the reports are (default: outputs)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


STATUS: Final = Declared(
    _add_status_options,
    description=(
        "Say of every project whether its report is current, stale and why, failed, busy or missing; run nothing."
    ),
    examples={
        "evalkit status": "every project of the workspace, and reports of none",
        "evalkit status --out results": "of the reports in another folder",
        "evalkit status --json": "as JSON, for a program or a dashboard",
    },
    epilog="""\
A report is current where it is whole and of these very inputs: project file, published files, notebooks, code and
packages. It reads the data of the project file or of the last report, as `evalkit run` would.
""",
)


def _add_portfolio_options(parser: Options) -> None:
    """Give a parser the options of `evalkit portfolio`."""
    parser.add_argument("--outputs", metavar="DIR", help="where the reports are (default: outputs)")
    parser.add_argument("--out", metavar="DIR", help="the site goes to DIR/_portfolio (default: beside the reports)")
    parser.add_argument(
        "--without", action="append", default=[], metavar="SLUG", help="leave out a project; may be repeated"
    )
    parser.add_argument(
        "--include-stale", action="store_true", help="pool reports too whose project has changed since or is gone"
    )


PORTFOLIO: Final = Declared(
    _add_portfolio_options,
    description="One static site over all finished projects: sortable table, forest plots, random-effects pooling.",
    examples={
        "evalkit portfolio": "over the reports in outputs, to outputs/_portfolio/index.html",
        "evalkit portfolio --without my-trial --without old-one": "without two of them",
    },
    epilog="""\
Every folder that `evalkit run` finished is read; folders that cannot be counted are named on the page with the reason,
and so are projects whose last run failed. Pooled are estimates of whole areas given the baseline, of one outcome, one
set of years, one kind of data and one kind of comparison, never fewer than three; sets of areas without a programme
that are like the projects give the p-value and the interval. A report whose project has changed since or is gone is
left out unless --include-stale is given. Prints the path of the page. What stood in DIR/_portfolio before is replaced
whole, or left as it was.
""",
)


def _add_release_options(parser: Options) -> None:
    """Give a parser the options of `evalkit release`."""
    parser.add_argument("project", metavar="PROJECT", help=PROJECT)
    parser.add_argument("--outputs", metavar="DIR", help="where the reports are (default: outputs)")
    parser.add_argument("--out", metavar="DIR", help="the release goes to DIR/<slug>/ (default: release)")
    parser.add_argument(
        "--previous", metavar="DIR", help="the release that left last (default: what stands where this one goes)"
    )
    parser.add_argument(
        "--people", action="store_true", help="units of the project are people: counts under 10 are withheld"
    )


RELEASE: Final = Declared(
    _add_release_options,
    description="Make the folder of a project that may leave, from its finished report, and say what was withheld.",
    examples={
        "evalkit release knowsley-ssif": "from outputs/knowsley-ssif to release/knowsley-ssif",
        "evalkit release tutoring --people": "of pupils: numbers leave beside counts of ten people or more",
        "evalkit release tutoring --people --previous sent/2026-03/tutoring": "and beside what left before",
    },
    epilog="""\
All tables are looked at together, and beside the releases before: no count of people that is withheld can be worked
out from what is told. report/ holds the report drawn anew; release.html says what was withheld and why; results.json
and checksums/ are in the form that output checkers in the UK read (acro). Prints the path of the folder.
""",
)

LAST_PORT: Final = 65535


def _add_lab_options(parser: Options) -> None:
    """Give a parser the options of `evalkit lab`."""
    parser.add_argument("project", nargs="?", metavar="PROJECT", help=PROJECT)
    add_data_options(parser)
    parser.add_argument("--fresh", action="store_true", help="make the notebooks anew; changed ones are put aside")
    parser.add_argument(
        "--port", type=int, metavar="N", help="port on this machine (default: the first free from 8888)"
    )
    parser.add_argument("--no-browser", action="store_true", help="print the address, and open no browser")


def _refuse_lab(given: Given) -> None:
    """Raise `InputError` where two options exclude each other, or a port is none."""
    if given.project is None and (given.data is not None or given.synthetic or given.fresh):
        raise InputError("--data, --synthetic and --fresh are about a project's notebooks. Name the project as well.")
    refuse_data(given)
    if given.port is not None and not 1 <= given.port <= LAST_PORT:
        raise InputError(f"--port is a number from 1 to {LAST_PORT}, not {given.port}.")


LAB: Final = Declared(
    _add_lab_options,
    description=(
        "Open JupyterLab on the workspace. With a project its notebooks are made in lab/<slug>, parameters filled in: "
        "run by hand they give the numbers of the report. Ctrl-C ends it."
    ),
    examples={
        "evalkit lab knowsley-ssif": "its notebooks, on the data of its last report",
        "evalkit lab knowsley-ssif --no-browser --port 8890": "on a machine without a screen: the address is printed",
    },
    refuse=_refuse_lab,
)

DAYS: Final = 90.0


def _add_clean_options(parser: Options) -> None:
    """Give a parser the options of `evalkit clean`."""
    parser.add_argument("--out", metavar="DIR", help="where the reports are (default: outputs)")
    parser.add_argument(
        "--days", type=above_zero, default=DAYS, metavar="N", help="records of runs are kept for N days (default: 90)"
    )
    parser.add_argument("--yes", action="store_true", help="remove what is listed without a question")


CLEAN: Final = Declared(
    _add_clean_options,
    description="List what no project needs any more, ask, and remove it. The report of a project is never removed.",
    examples={
        "evalkit clean": "lists, and asks before anything is removed",
        "evalkit clean --yes --days 30": "without a question, for a nightly job; records are kept for a month",
    },
    epilog="""\
What may be removed: reports of which there is no project any more (orphans), folders that a killed run left, records
of failures and of runs that are older than --days or of projects that are gone. A long log is put aside as log.1.jsonl,
in place of the one before.
""",
)


def _add_projects_options(parser: Options) -> None:
    """Give a parser the options of `evalkit projects`: none."""


PROJECTS: Final = Declared(
    _add_projects_options,
    description="List the projects of the workspace with their titles.",
    examples={"evalkit projects": "one line for each folder under data/projects"},
    epilog="`evalkit status` says what became of each.",
)


def _add_completion_options(parser: Options) -> None:
    """Give a parser the options of `evalkit completion`."""
    parser.add_argument("shell", metavar="SHELL", choices=("bash", "zsh", "fish"), help="bash, zsh or fish")


COMPLETION: Final = Declared(
    _add_completion_options,
    description="Print what lets a shell complete commands, options, their values and the names of projects.",
    examples={
        "evalkit completion bash >> ~/.bashrc": "in every bash from the next on",
        "evalkit completion zsh >> ~/.zshrc": "in every zsh from the next on",
        "evalkit completion fish > ~/.config/fish/completions/evalkit.fish": "in every fish from the next on",
    },
    epilog="Print it anew where a newer evalkit has other options.",
)
