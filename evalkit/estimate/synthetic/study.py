"""Everything that is asked of one way of weighting donors: effect, placebos, moved residuals, donors left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from evalkit.core.quantities import Interval, IntervalOrReason, Quantity, Unavailable
from evalkit.design.clusters import STAND_INS
from evalkit.design.panel.area_design import AreaDesign
from evalkit.estimate.areas.changes_arrays import permutation_test
from evalkit.estimate.synthetic.conformal import Conformal, conformal
from evalkit.estimate.synthetic.connected_arrays import ConnectedSets
from evalkit.estimate.synthetic.control import augmented_control, synthetic_control, synthetic_did
from evalkit.estimate.synthetic.placebos import (
    MOST_SETS,
    LeaveOneDonorOut,
    PlaceboInSpace,
    PlaceboInTime,
    PlaceboOptions,
    leave_one_donor_out,
    placebo_in_space,
    placebo_in_time,
)
from evalkit.estimate.synthetic.result import SyntheticControl

AREA_METHODS: Final[Mapping[str, Callable[[AreaDesign], SyntheticControl]]] = {
    "sc": synthetic_control,
    "augmented": augmented_control,
    "sdid": synthetic_did,
}
"""The ways to weight donors by the name that a command and a project file give them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaStudy:
    """What one way of weighting donors gives for a design; `space` and `time` are the placebos."""

    synthetic: SyntheticControl
    space: PlaceboInSpace
    time: PlaceboInTime | Unavailable
    conformal: Conformal
    left_out: LeaveOneDonorOut | Unavailable


def area_study(
    design: AreaDesign, method: str, options: PlaceboOptions, connected: ConnectedSets | None = None
) -> AreaStudy:
    """Return the effect by a method of `AREA_METHODS` and all that judges it; placebos are `connected` sets if given.

    A start put back is judged by the first 999 of these sets.
    """
    found = AREA_METHODS[method](design)
    fewer = None if connected is None else replace(connected, sets=connected.sets[:MOST_SETS])
    return AreaStudy(
        synthetic=found,
        space=placebo_in_space(found, options, connected),
        time=found.estimate if isinstance(found.estimate, Unavailable) else placebo_in_time(found, options, fewer),
        conformal=conformal(found, options.level),
        left_out=leave_one_donor_out(found),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AmongGaps:
    """Where an effect stands among the placebos' mean gaps from the start on, and the effects that are not rejected."""

    p_value: Quantity
    p_value_one_sided: Quantity
    interval: IntervalOrReason
    n_ranked: int

    @classmethod
    def unavailable(cls, reason: Unavailable, n_ranked: int) -> AmongGaps:
        """Return that nothing can be said, and why."""
        return cls(p_value=reason, p_value_one_sided=reason, interval=reason, n_ranked=n_ranked)


def among_gaps(estimate: float, placebos: np.ndarray, level: float) -> AmongGaps:
    """Return an effect's rank by size among placebos' mean gaps, itself one of them, and the interval of that test.

    The interval is estimate ± the least size that the test rejects; with fewer than 40 ranked none is given.
    """
    ranked = np.append(placebos, estimate)
    test = permutation_test(ranked, len(placebos), 1 - level)
    interval: IntervalOrReason = Unavailable(
        f"Among {len(ranked)} areas an interval would have the length of the largest gap or the second largest; "
        f"{STAND_INS} are needed."
    )
    if len(ranked) >= STAND_INS and np.isfinite(test.reach):
        interval = Interval(estimate - test.reach, estimate + test.reach, level)
    return AmongGaps(
        p_value=test.p_value, p_value_one_sided=test.p_value_one_sided, interval=interval, n_ranked=len(ranked)
    )
