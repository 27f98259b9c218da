"""Processes of this kit do linear algebra on one thread and import no part of a library that nothing here uses."""

from __future__ import annotations

import sys
from typing import Any, Final, cast

ONE_THREAD: Final = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)
"""Environment variables, and what they are set to."""


_GRAMMAR: Final = "rfc3987_syntax"


def import_jsonschema() -> None:
    """Import jsonschema, on which nbformat and papermill stand, without its check of international addresses.

    The grammar of that check is built when it is imported and takes more than a second, several times what all the rest
    takes. No schema of notebooks or of this kit asks for the check.
    """
    modules = cast(dict[str, Any], sys.modules)
    if "jsonschema" in modules or _GRAMMAR in modules:
        return
    modules[_GRAMMAR] = None  # an import of it fails, which jsonschema expects
    try:
        import jsonschema  # noqa: F401
    finally:
        del modules[_GRAMMAR]
