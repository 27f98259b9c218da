"""`evalkit synthetic`: make the whole synthetic England in a folder, all of it or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from evalkit.core.errors import InputError
from evalkit.core.words import counted, did_you_mean

if TYPE_CHECKING:
    from evalkit.data.synthetic.known import KnownEffects
    from evalkit.run.commands.options import Given


ALL: Final = "all"
"""Stands for every planted effect in `--effect`."""


def synthetic_command(given: Given) -> int:
    """Make the folder, say what is in it, and return the exit code 0."""
    from evalkit.data.synthetic.whole_england import write_whole_england
    from evalkit.data.synthetic_edition import DEFAULT_SEED
    from evalkit.run.commands.synthetic import sizes_of
    from evalkit.run.processes.failure import environment_faults
    from evalkit.run.processes.temporary import folder_to_be

    folder = Path(given.folder).expanduser().absolute()
    if folder.exists():
        raise InputError(f"{given.folder} is there already. Name a folder that is not there yet, or remove it first.")
    effects = _effects(sizes_of(given.effect))
    seed = DEFAULT_SEED if given.seed is None else given.seed
    with environment_faults("making the synthetic England"), folder_to_be(folder) as made:
        write_whole_england(made, seed=seed, scale=given.share, effects=effects)
    files = sum(1 for path in folder.rglob("*") if path.is_file())
    print(f"{given.folder}: {counted(files, 'file')} of made-up schools; SYNTHETIC.json says which effects are true.")
    return 0


def _effects(sizes: dict[str, float]) -> KnownEffects:
    """Return the planted effects, those named of the size given; raise `InputError` where there is none of the name."""
    from evalkit.data.synthetic.known import EFFECT_NAMES, KnownEffects

    every = dict.fromkeys(EFFECT_NAMES, sizes[ALL]) if ALL in sizes else {}
    own = {name: size for name, size in sizes.items() if name != ALL}
    unknown = [name for name in own if name not in EFFECT_NAMES]
    if unknown:
        raise InputError(
            f"No effect '{unknown[0]}' can be planted.{did_you_mean(unknown[0], EFFECT_NAMES)} "
            f"There are {', '.join(EFFECT_NAMES)}, and '{ALL}' for every one of them."
        )
    return KnownEffects(**(every | own))
