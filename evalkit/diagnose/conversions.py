"""Schools that changed legal identity meanwhile: a co-intervention, by arm, and no loss of schools."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from evalkit.core.arrays import Bools, Floats
from evalkit.core.formats import number
from evalkit.data.measures import STAGES
from evalkit.data.published.records import SchoolRecords
from evalkit.diagnose.finding import DIFFERENTIAL, Finding, FindingKind, banded, design_fact, not_assessable

CONVERSIONS: Final = "conversions"
NOT_FOLLOWED: Final = (
    "Units of a table of the project's own whose published results were not read are among those compared: nobody has "
    "said which of them changed legal identity."
)
_ALIKE: Final = 5e-4
"""Shares nearer than this are written alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmConversions:
    """The schools of an arm, those of them that changed legal identity, and their share by the weights of the arm."""

    n_schools: int
    n_converted: int
    share: float

    @classmethod
    def of(cls, is_converted: Bools, weight: Floats) -> ArmConversions:
        """Return what converted of schools with weights, shape (n,); schools of weight zero are in no arm."""
        used = weight > 0
        total = float(weight[used].sum())
        share = float(weight[used] @ is_converted[used]) / total if total else 0.0
        return cls(n_schools=int(used.sum()), n_converted=int(is_converted[used].sum()), share=share)

    def told(self, arm: str) -> str:
        """Return the counts in words, with the weighted share where it is another than that of the counts."""
        plain = self.n_converted / self.n_schools
        weighted = f", {number(100 * self.share, 1)}% by weight" if abs(plain - self.share) > _ALIKE else ""
        return f"{self.n_converted} of {self.n_schools} {arm} ({number(100 * plain, 1)}%{weighted})"


def conversions_finding(
    treated: ArmConversions, compared: ArmConversions, years: tuple[int, int], then: str = ""
) -> Finding:
    """Return in which arm more schools changed identity between the tests of two years.

    `then` is what the estimate is without them. The verdict rests on the difference of the weighted shares, and on
    nothing that hangs on outcomes.
    """
    if not treated.n_schools or not compared.n_schools:
        return not_assessable(CONVERSIONS, "An arm has no analysed school.", FindingKind.DESIGN_FACT)
    sentence = (
        f"{treated.told('treated schools')} and {compared.told('compared ones')} changed legal "
        f"identity, as a rule by becoming an academy, between the tests of {years[0]} and those of "
        f"{years[1]}, by the dates of the school list and the links file: another change at the same time.{then}"
    )
    apart = abs(treated.share - compared.share)
    return design_fact(CONVERSIONS, banded(apart, *DIFFERENTIAL), apart, sentence)


def is_identity_followed(records: Mapping[str, SchoolRecords], stage: str, units: pd.Index) -> bool:
    """Return whether published results follow all `units` of a stage, so that who converted is known of each.

    Units of a table of the project's own count as not converted where nobody has said anything: of those alone the
    published results that were read beside it know.
    """
    if stage in STAGES:
        return True
    known = {unit for name, published in records.items() if name in STAGES for unit in published.schools.index}
    return set(units) <= known
