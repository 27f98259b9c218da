"""The options of `evalkit completion`."""

from __future__ import annotations

TYPE_CHECKING = False  # see `catalogue`
if TYPE_CHECKING:
    from typing import Final

    from evalkit.run.commands.options import Options
    from evalkit.run.commands.reading import Given

SHELLS: Final = ("bash", "zsh", "fish")
DESCRIPTION: Final = "Print what lets a shell complete commands, options, their values and the names of projects."
EXAMPLES: Final = {
    "evalkit completion bash >> ~/.bashrc": "in every bash from the next on",
    "evalkit completion zsh >> ~/.zshrc": "in every zsh from the next on",
    "evalkit completion fish > ~/.config/fish/completions/evalkit.fish": "in every fish from the next on",
}
EPILOG: Final = "Print it anew where a newer evalkit has other options."


def add_options(parser: Options) -> None:
    """Give a parser the options of `evalkit completion`."""
    parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help="bash, zsh or fish")


def refuse(given: Given) -> None:
    """Refuse nothing."""
