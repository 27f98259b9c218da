"""Every command: what it is for, where its options stand, and the verb that does it."""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` would take as long to load as all that is needed to print help
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Final

    from evalkit.run.commands.options import Declared


class Command:
    """A command of the command line; its modules are loaded when it is typed.

    `declared` and `verb` are a module and a name in it: `did:DID`, `tables.did_options:did_command`.
    """

    def __init__(self, purpose: str, declared: str, verb: str) -> None:
        self.purpose = purpose
        self._declared, self._verb = declared, verb

    @property
    def declared(self) -> Declared:
        """The command's options, examples and what is refused of them."""
        declared: Declared = _loaded(f"commands.{self._declared}")
        return declared

    @property
    def verb(self) -> Callable[..., int]:
        """The function that does what was asked for and returns the exit code."""
        verb: Callable[..., int] = _loaded(self._verb)
        return verb


def _loaded(place: str) -> Any:
    from importlib import import_module

    module, _, name = place.partition(":")
    return getattr(import_module(f"evalkit.run.{module}"), name)


OF_PROJECTS: Final[Mapping[str, Command]] = {
    "import": Command(
        "read a folder of downloaded files into the store, and say of each what it is",
        "projects:IMPORT",
        "project.import_command:import_command",
    ),
    "new": Command("make a project folder to start from", "projects:NEW", "project.new_project:new_command"),
    "migrate": Command(
        "bring a project file of version 1 to the present one", "projects:MIGRATE", "project.migrate:migrate_command"
    ),
    "check": Command(
        "read everything, estimate nothing, say what was found", "projects:CHECK", "project.check:check_command"
    ),
    "power": Command(
        "say what a project could detect, before outcomes are read", "projects:POWER", "tables.power:power_command"
    ),
    "rehearse": Command(
        "make a project's analysis where nothing happened, and say what it finds there",
        "projects:REHEARSE",
        "tables.rehearse:rehearse_command",
    ),
    "run": Command("evaluate projects and write their reports", "projects:RUN", "many.run_command:run_command"),
    "status": Command(
        "say which reports are current, stale, failed or busy", "projects:STATUS", "many.status:status_command"
    ),
    "portfolio": Command(
        "make one page over all finished projects, with pooled results",
        "projects:PORTFOLIO",
        "many.portfolio:portfolio_command",
    ),
    "release": Command(
        "make the folder of a report that may leave, and say what was withheld",
        "projects:RELEASE",
        "outputs.release:release_command",
    ),
    "lab": Command(
        "open JupyterLab on the workspace, a project's notebooks ready", "projects:LAB", "lab.lab:lab_command"
    ),
    "synthetic": Command(
        "make the whole synthetic England: made-up schools in every published form",
        "synthetic:SYNTHETIC",
        "project.synthetic_command:synthetic_command",
    ),
    "clean": Command("list and remove what no project needs any more", "projects:CLEAN", "many.clean:clean_command"),
    "projects": Command("list the projects", "projects:PROJECTS", "project.new_project:projects_command"),
}
"""Commands on projects, in the order in which they are used."""
OF_FILES: Final[Mapping[str, Command]] = {
    "fetch": Command("fetch public files as they are published", "fetch:FETCH", "fetch.command:fetch_command"),
}
"""Commands on published files, before any project."""
OF_TABLES: Final[Mapping[str, Command]] = {
    "similar": Command(
        "list the schools or areas most like one, from a table",
        "similar:SIMILAR",
        "tables.similar_options:similar_command",
    ),
    "match": Command("choose a comparison group from a table", "match:MATCH", "tables.match_options:match_command"),
    "did": Command(
        "estimate effects from a table, by difference-in-differences", "did:DID", "tables.did_options:did_command"
    ),
    "synth": Command(
        "estimate the effect on one or few areas from a table, by a synthetic control",
        "synth:SYNTH",
        "tables.synth_options:synth_command",
    ),
}
"""Commands on one table, without a project."""
OF_THE_SHELL: Final[Mapping[str, Command]] = {
    "completion": Command(
        "print what lets a shell complete commands and options",
        "projects:COMPLETION",
        "commands.completion:completion_command",
    ),
}
COMMANDS: Final[Mapping[str, Command]] = {**OF_FILES, **OF_PROJECTS, **OF_TABLES, **OF_THE_SHELL}
_TAIL: Final = """\
PROJECT is a slug under data/projects/ or the path of a project.yml.
Without --data those of the project file or of its last report are read, else the synthetic England: made-up schools, so
that everything can be tried.

Examples:
  evalkit new my-project            a project folder with everything there is to fill in
  evalkit check my-project          is all there, and is it read as you meant it?
  evalkit run my-project            the report
  evalkit did --help                options and examples of one command

Exit codes: 0 done; 1 a project failed; 2 bad input or usage; 3 disk, memory or permissions; 4 another run holds the
project; 130 interrupted.
"""


def overview() -> str:
    """Return the help of the whole: what it is for, the commands, and where to go on."""
    rooms = {
        "published files": OF_FILES,
        "projects": OF_PROJECTS,
        "a table, without a project": OF_TABLES,
        "your shell": OF_THE_SHELL,
    }
    lines = [
        "usage: evalkit COMMAND [options]",
        "",
        "Evaluate a school improvement programme: from the published files to a report.",
    ]
    for title, commands in rooms.items():
        lines += ["", f"{title}:", *(f"  {name:12}{command.purpose}" for name, command in commands.items())]
    lines += ["", "options:", f"  {'-h, --help':12}show this", f"  {'--version':12}print the version", ""]
    return "\n".join([*lines, _TAIL])
