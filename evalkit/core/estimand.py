"""The quantity wanted, named before any method."""

from enum import StrEnum


class Estimand(StrEnum):
    """What an effect is an effect of; a design derives it, nobody sets it."""

    ATT = "ATT"
    ATT_AMONG_MATCHED = "ATT_AMONG_MATCHED"
    ATC = "ATC"
    ATC_AMONG_MATCHED = "ATC_AMONG_MATCHED"
    ATE = "ATE"
    ATE_AMONG_MATCHED = "ATE_AMONG_MATCHED"
    AREA_ITT = "AREA_ITT"
    AREA_ITT_AMONG_MATCHED = "AREA_ITT_AMONG_MATCHED"

    @property
    def label(self) -> str:
        """Return the words a report uses."""
        return _LABELS[self]

    @property
    def label_of_units(self) -> str:
        """Return the same words for a table of any units."""
        return self.label.replace("participating schools", "treated units").replace("schools", "units")


_LABELS = {
    Estimand.ATT: "average effect on the schools that took part",
    Estimand.ATT_AMONG_MATCHED: "average effect on the participating schools that could be matched",
    Estimand.ATC: "average effect that the comparison units would have had",
    Estimand.ATC_AMONG_MATCHED: "average effect that the comparison units that could be matched would have had",
    Estimand.ATE: "average effect on all units, treated and comparison",
    Estimand.ATE_AMONG_MATCHED: "average effect on the units, treated and comparison, that could be matched",
    Estimand.AREA_ITT: "area-level intention to treat: average effect on all eligible schools of the area, "
    "whether or not they took part",
    Estimand.AREA_ITT_AMONG_MATCHED: "area-level intention to treat among the area's schools that could be matched",
}
