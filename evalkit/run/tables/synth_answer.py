"""From a request and its table to everything that `evalkit synth` tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from evalkit.core.quantities import IntervalOrReason, Unavailable
from evalkit.data.areas.series import AreaRoles, read_area_file
from evalkit.design.panel.area_design import AreaDesign, area_design
from evalkit.estimate.synthetic.conformal import Conformal, conformal
from evalkit.estimate.synthetic.control import augmented_control, synthetic_control, synthetic_did
from evalkit.estimate.synthetic.placebos import (
    LeaveOneDonorOut,
    PlaceboInSpace,
    PlaceboInTime,
    PlaceboOptions,
    leave_one_donor_out,
    placebo_in_space,
    placebo_in_time,
)
from evalkit.estimate.synthetic.result import SyntheticControl
from evalkit.run.console import Progress
from evalkit.run.processes.executors import executor_at
from evalkit.run.tables.synth_options import SynthRequest

_VERBS: dict[str, Callable[[AreaDesign], SyntheticControl]] = {
    "sc": synthetic_control,
    "augmented": augmented_control,
    "sdid": synthetic_did,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthAnswer:
    """Everything one run of `evalkit synth` tells; `space` and `time` are the placebos."""

    request: SynthRequest
    found: SyntheticControl
    space: PlaceboInSpace
    time: PlaceboInTime | Unavailable
    conformal: Conformal
    left_out: LeaveOneDonorOut | Unavailable

    @property
    def interval(self) -> IntervalOrReason:
        """Return the interval of the method: from placebos for synthetic DiD, else the conformal one."""
        return self.space.interval if self.request.method == "sdid" else self.conformal.interval

    @property
    def interval_from(self) -> str:
        """Return in words where the interval comes from."""
        if self.request.method == "sdid":
            return "estimate and the standard deviation of placebo estimates"
        return "conformal inference by moving blocks, for an effect that is the same in every period"

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what a reader must know beside the numbers."""
        return (*self.found.notes, *self.space.notes, *self.conformal.notes)


def synth_answer(request: SynthRequest, progress: Progress) -> SynthAnswer:
    """Read the table and estimate what was asked; raise `InputError` where that cannot be done."""
    roles = AreaRoles(unit=request.unit, period=request.period, outcome=request.outcome)
    with progress.step(f"reading {request.file.name}"):
        series = read_area_file(request.file, roles)
        start = series.scale.number(request.start, "--start")
        design = area_design(series, request.treated, start, request.excluded)
    with progress.step(f"estimating ({request.method}) and every placebo"), executor_at(request.where) as executor:
        options = PlaceboOptions(seed=request.seed, level=request.level, executor=executor)
        found = _VERBS[request.method](design)
        return SynthAnswer(
            request=request,
            found=found,
            space=placebo_in_space(found, options),
            time=found.estimate if isinstance(found.estimate, Unavailable) else placebo_in_time(found, options),
            conformal=conformal(found, request.level),
            left_out=leave_one_donor_out(found),
        )
