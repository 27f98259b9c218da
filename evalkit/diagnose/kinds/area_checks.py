"""What every analysis of areas over years says of its outcome: where it was read, and what changed in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evalkit.data.measures import Break
from evalkit.data.published.area_records import AreaSource
from evalkit.diagnose.finding import Finding, Verdict, design_fact, statement


def source_finding(source: AreaSource | None) -> Iterator[Finding]:
    """Yield where a measure that is published of authorities was read, and what must be known of it."""
    if source is not None:
        yield statement("source", 0.0, " ".join((source.sentence, *source.notes)))


def breaks_finding(within: Sequence[Break], left: Sequence[str], *, is_unknown: bool) -> Finding:
    """Return whether how an outcome is made changed among the years compared.

    `within` are changes that a difference may cross, `left` sentences on years that are not compared; `is_unknown` says
    that of an own column nobody has named any change.
    """
    if within:
        told = [one.sentence for one in within]
        return design_fact("breaks", Verdict.CAUTION, float(len(within)), " ".join((*told, *left)))
    if is_unknown:
        unknown = "The project file names no change in how the outcome is made; its source may know of some."
        return statement("breaks", 0.0, " ".join((unknown, *left)))
    none = "No change in how the outcome is made is known among the years compared."
    return design_fact("breaks", Verdict.REASSURING, 0.0, " ".join((none, *left)))
