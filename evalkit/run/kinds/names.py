"""The one list of the kinds of analysis that a project may name."""

from __future__ import annotations

# `evalkit --help` reads this list, so nothing is imported here that takes time to load
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

KINDS: Final[dict[str, str]] = {
    "areas": "evalkit.run.kinds.areas:AREAS",
    "contribution": "evalkit.run.kinds.contribution:CONTRIBUTION",
    "dose": "evalkit.run.kinds.dose:DOSE",
    "matched": "evalkit.run.kinds.matched:MATCHED",
    "pupils": "evalkit.run.kinds.pupils:PUPILS",
    "series": "evalkit.run.kinds.series:SERIES",
    "staggered": "evalkit.run.kinds.staggered:STAGGERED",
    "survey": "evalkit.run.kinds.survey:SURVEY",
    "synthetic": "evalkit.run.kinds.synthetic:SYNTHETIC",
    "transitions": "evalkit.run.kinds.transitions:TRANSITIONS",
}
"""Every kind by name, as the module and the attribute that hold it: loaded when a project asks for it."""
