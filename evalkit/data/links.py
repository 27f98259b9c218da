"""GIAS links between establishments, and the chains that identity over time may follow."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from evalkit.data.flow import CountedCase
from evalkit.data.tables import read_table


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """Which establishment followed which.

    `predecessor` maps a URN to the one it followed, only where neither has another
    predecessor or successor; `cases` counts the links of every type and what was chained. `opened`
    gives the day (dd-mm-yyyy) of each chained link, where the file has it.
    """

    predecessor: dict[str, str]
    cases: tuple[CountedCase, ...]
    opened: dict[str, str] = field(default_factory=dict)

    def oldest(self, urn: str) -> str:
        """Return the oldest URN reached by one-to-one predecessors; a loop stops where it closes."""
        seen = {urn}
        while (before := self.predecessor.get(urn)) is not None and before not in seen:
            seen.add(before)
            urn = before
        return urn


def read_links(path: Path) -> Links:
    """Read the GIAS links file (Windows-1252) and keep the chains that are one-to-one."""
    frame = read_table(path, ["URN", "LinkURN", "LinkType", "LinkEstablishedDate"], encoding="cp1252")
    pairs = frame.loc[frame["LinkType"] == "Predecessor", ["URN", "LinkURN", "LinkEstablishedDate"]]
    pairs = pairs.drop_duplicates(["URN", "LinkURN"])
    unique = ~(pairs.duplicated("URN", keep=False) | pairs.duplicated("LinkURN", keep=False))
    kept = pairs[unique]
    structural = frame[frame["LinkType"].str.contains("merged|amalgam|split", case=False)]
    reorganised = kept["URN"].isin(set(structural["URN"])) | kept["LinkURN"].isin(set(structural["URN"]))
    other = ~frame["LinkType"].isin(["Predecessor", "Successor"])
    cases = (
        CountedCase("links from a school to its one predecessor, followed", len(kept)),
        CountedCase(
            "of these, schools that also took part in a merger, an amalgamation or a split", int(reorganised.sum())
        ),
        CountedCase("predecessor links not followed because they are not one-to-one", int((~unique).sum())),
        CountedCase(
            "links of another kind (mergers, amalgamations, splits, sixth-form centres), never followed",
            int(other.sum()),
        ),
    )
    opened = dict(zip(kept["URN"], kept["LinkEstablishedDate"], strict=True))
    return Links(dict(zip(kept["URN"], kept["LinkURN"], strict=True)), cases, opened)
