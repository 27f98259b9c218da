"""The options of `evalkit synthetic`, and what cannot be asked of it."""

from __future__ import annotations

from evalkit.core.errors import InputError
from evalkit.run.commands.options import Declared, refuse_seed

TYPE_CHECKING = False  # see `catalogue`
if TYPE_CHECKING:
    from typing import Final

    from evalkit.run.commands.options import Given, Options


def _add_synthetic_options(parser: Options) -> None:
    """Give a parser the options of `evalkit synthetic`."""
    parser.add_argument("folder", metavar="DIR", help="folder to make; it must not be there yet")
    parser.add_argument("--seed", type=int, metavar="S", help="seed of every draw (default: that of the examples)")
    parser.add_argument(
        "--share", type=float, default=1.0, metavar="X", help="share of the country's schools (default: 1)"
    )
    parser.add_argument(
        "--effect",
        action="append",
        default=[],
        metavar="NAME=SIZE",
        help="size of one effect of known-effects/, or all=0 for none; may be repeated",
    )


def _refuse_synthetic(given: Given) -> None:
    """Raise `InputError` for a seed below 0, a share that is none, or an effect without a name or a number."""
    refuse_seed(given.seed)
    sizes_of(given.effect)
    if not LEAST_SHARE <= given.share <= 1:
        raise InputError(f"--share is a number from {LEAST_SHARE} to 1, not {given.share:g}.")


def sizes_of(given: list[str]) -> dict[str, float]:
    """Return the size of each effect that was named: `suspensions=-3`; raise `InputError` for what is no such pair."""
    found = {}
    for one in given:
        name, _, size = one.partition("=")
        try:
            found[name.strip()] = float(size)
        except ValueError:
            raise InputError(f"--effect is a name and a number, such as suspensions=-3, not '{one}'.") from None
    return found


LEAST_SHARE: Final = 0.06
"""Below this some authorities would have no school."""
SYNTHETIC: Final = Declared(
    _add_synthetic_options,
    description=(
        "Make the whole synthetic England in a folder: made-up schools, 2015 to 2025, in every published form. "
        "Two programmes with known effects are in it, and further effects of sizes that one may choose."
    ),
    examples={
        "evalkit synthetic made-up": "all schools, about 160 MB",
        "evalkit synthetic small --share 0.06": "a few schools an authority, in a moment, for tests of a reader",
        "evalkit synthetic quiet --share 0.06 --effect all=0": "nothing planted in known-effects/",
    },
    refuse=_refuse_synthetic,
    epilog="""\
The files lie and look as published ones do, and SYNTHETIC.json says what the folder is and which effects are true. The
same seed and share give the same bytes. Nothing in it is of a real school or pupil.
""",
)
