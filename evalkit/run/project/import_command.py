"""`evalkit import`: a folder of files into the store, and a list of every file: what it is, or why it is not used."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from evalkit.core.errors import DataError
from evalkit.core.plain import json_text
from evalkit.core.words import cleaned, counted
from evalkit.run.project.file_list import files_lines, files_record

if TYPE_CHECKING:
    from evalkit.data.store.importing import Imported
    from evalkit.run.commands.options import Given


def import_command(given: Given) -> int:
    """Import a folder, print what every file is, and return the exit code 0; raise `DataError` where none is usable."""
    from evalkit.data.store.importing import imported
    from evalkit.run.console import Progress
    from evalkit.run.processes.failure import environment_faults
    from evalkit.run.project.workspace import default_store
    from evalkit.run.typed_paths import out_folder, typed_path

    folder, store = typed_path(given.folder, "DIR"), out_folder(given.store, "--store")
    progress = Progress()
    with environment_faults("importing"):
        done = imported(folder, store or default_store(), say=progress.say)
    if given.json:
        print(json_text({"files": files_record(done.entries)}))
    else:
        print(cleaned("\n".join([_summary(done), *files_lines(done.entries)])))
    if not any(entry.is_used for entry in done.entries):
        sys.stdout.flush()
        raise DataError(f"{folder}: none of {counted(len(done.entries), 'file')} can be used. The list says why.")
    return 0


def _summary(done: Imported) -> str:
    gone = f", {done.n_gone:,} no longer there" if done.n_gone else ""
    return (
        f"{done.source}: {counted(len(done.entries), 'file')}, {done.n_read:,} read now, "
        f"{len(done.entries) - done.n_read:,} as they were{gone}. Store: {done.folder}"
    )
