"""`evalkit synthetic`: make the whole synthetic England in a folder, all of it or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.core.errors import InputError
from evalkit.core.words import counted

if TYPE_CHECKING:
    from evalkit.run.commands.options import Given


def synthetic_command(given: Given) -> int:
    """Make the folder, say what is in it, and return the exit code 0."""
    from evalkit.data.synthetic.whole_england import write_whole_england
    from evalkit.data.synthetic_edition import DEFAULT_SEED
    from evalkit.run.processes.failure import environment_faults
    from evalkit.run.processes.temporary import folder_to_be

    folder = Path(given.folder).expanduser().absolute()
    if folder.exists():
        raise InputError(f"{given.folder} is there already. Name a folder that is not there yet, or remove it first.")
    seed = DEFAULT_SEED if given.seed is None else given.seed
    with environment_faults("making the synthetic England"), folder_to_be(folder) as made:
        write_whole_england(made, seed=seed, scale=given.share)
    files = sum(1 for path in folder.rglob("*") if path.is_file())
    print(f"{given.folder}: {counted(files, 'file')} of made-up schools; SYNTHETIC.json says which effects are true.")
    return 0
