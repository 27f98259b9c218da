"""Schools lost between eligible and analysed: overall, and how far the arms differ in it."""

from __future__ import annotations

from dataclasses import dataclass

from evalkit.core.quantities import Quantity, Unavailable
from evalkit.data.flow import Flow

_NOBODY = Unavailable("No school of this arm was eligible.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attrition:
    """Schools of one outcome that were eligible and those of them without a published result in some year.

    Shares are between 0 and 1; `differential` is the treated share lost less the comparison share. A school that
    is no mainstream school of the phase, or in no arm, was never eligible.
    """

    outcome: str
    eligible_treated: int
    lost_treated: int
    eligible_comparison: int
    lost_comparison: int
    share_treated: Quantity
    share_comparison: Quantity
    overall: Quantity
    differential: Quantity

    @property
    def worst(self) -> Quantity:
        """Return the share lost in the arm that lost more."""
        first, second = self.share_treated, self.share_comparison
        if isinstance(first, Unavailable) or isinstance(second, Unavailable):
            return first if isinstance(first, Unavailable) else second
        return max(first, second)


def attrition_of(flow: Flow, outcome: str) -> Attrition:
    """Return what was lost of the eligible treated and comparison schools of one outcome."""
    eligible = {arm: _eligible(flow, outcome, arm) for arm in ("treated", "comparison")}
    lost = {arm: n - flow.count(outcome, arm, "analysed") for arm, n in eligible.items()}
    treated, comparison = (_share(lost[arm], n) for arm, n in eligible.items())
    lacking = next((one for one in (treated, comparison) if isinstance(one, Unavailable)), None)
    apart = 0.0 if isinstance(treated, Unavailable) or isinstance(comparison, Unavailable) else treated - comparison
    return Attrition(
        outcome=outcome,
        eligible_treated=eligible["treated"],
        lost_treated=lost["treated"],
        eligible_comparison=eligible["comparison"],
        lost_comparison=lost["comparison"],
        share_treated=treated,
        share_comparison=comparison,
        overall=_share(sum(lost.values()), sum(eligible.values())),
        differential=lacking or apart,
    )


def _eligible(flow: Flow, outcome: str, arm: str) -> int:
    """Return the listed schools less those left out for what they are rather than for a year without a result."""
    outside = sum(
        row.n
        for row in flow.rows
        if (row.outcome, row.arm, row.stage) == (outcome, arm, "excluded") and not row.reason[:4].isdigit()
    )
    return flow.count(outcome, arm, "listed") - outside


def _share(lost: int, eligible: int) -> Quantity:
    return lost / eligible if eligible else _NOBODY
