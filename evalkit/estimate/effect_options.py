"""What may be asked of an estimate after matching or weighting."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.errors import DesignError
from evalkit.core.executor import SERIAL, Executor
from evalkit.core.words import did_you_mean, listed

Adjustment = Literal["none", "g-computation", "additive", "bias-corrected"]
Errors = Literal["default", "HC1", "HC3", "cluster", "two-way", "CR2", "abadie-imbens", "m-estimation", "bootstrap"]

FEWEST_DRAWS: Final = 99


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EffectOptions:
    """How an effect is estimated from a matched or weighted design.

    Attributes
    ----------
    adjust : names of labels or covariates of the baseline, or of `columns`, to adjust for
    columns : DataFrame by unit, or None
        Further columns to adjust for, which matching did not see.
    adjustment : how; None for g-computation where `adjust` names something and for none otherwise
    errors : kind of standard error; "default" for the one that suits the design
    cluster : clusters above the unit, such as schools or areas
        The name of a label, or their codes by unit (a Series), or in the order of the baseline (an array).
    level : level of the interval
    seed, n_draws : of the bootstrap
    executor : who carries out its draws
    """

    adjust: tuple[str, ...] = ()
    columns: pd.DataFrame | None = None
    adjustment: Adjustment | None = None
    errors: Errors = "default"
    cluster: str | pd.Series | NDArray[np.generic] | None = None
    level: float = 0.95
    seed: int = 1
    n_draws: int = 999
    executor: Executor = field(default=SERIAL, repr=False)

    def __post_init__(self) -> None:
        _one_of("errors", self.errors, get_args(Errors))
        if self.adjustment is not None:
            _one_of("adjustment", self.adjustment, get_args(Adjustment))
        if not 0 < self.level < 1:
            raise DesignError(f"The level of an interval lies between 0 and 1, not at {self.level}.")
        if self.n_draws < FEWEST_DRAWS:
            raise DesignError(f"A bootstrap needs at least {FEWEST_DRAWS} draws, 999 for a report; not {self.n_draws}.")
        self._require_whole()

    @property
    def how(self) -> Adjustment:
        """Return the adjustment, with the default filled in."""
        return self.adjustment or ("g-computation" if self.adjust else "none")

    def _require_whole(self) -> None:
        """Raise `DesignError` where what to adjust for and how do not go together."""
        twice = [name for name in self.adjust if self.adjust.count(name) > 1]
        if twice:
            raise DesignError(f"'{twice[0]}' is named twice among what to adjust for. Name it once.")
        if self.adjust and self.adjustment == "none":
            raise DesignError("Columns to adjust for were named, and no adjustment asked for. Leave one of them out.")
        if not self.adjust and self.how != "none":
            raise DesignError(f"The adjustment '{self.how}' needs columns to adjust for. Name them in `adjust`.")


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise DesignError(
            f"'{value}' is no choice of {name}.{did_you_mean(value, known)} There are: {listed(known, 20)}."
        )
