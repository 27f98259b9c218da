"""Months of progress: the conversion tables of the Education Endowment Foundation (EEF), illustrative."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

_TOOLKIT: Final = (0.02, 0.10, 0.19, 0.27, 0.36, 0.45, 0.53, 0.62, 0.70, 0.79, 0.88, 0.96)
_TRIAL: Final = (0.05, *_TOOLKIT[1:])
_TABLES: Final = {"toolkit": _TOOLKIT, "trial": _TRIAL}
TABLE_NAMES: Final = {
    "toolkit": "EEF Toolkit conversion table",
    "trial": "EEF trial conversion table (unverified: not seen in a published source)",
}


def months_of_progress(effect_size: float, table: str = "toolkit") -> int:
    """Return months of progress for an effect size, by the lower bounds of the table; negative mirrors positive.

    The effect size is rounded half up to two places first, as the Toolkit does; beyond 1.00 the
    table ends and 12 months is returned.
    """
    size = float(Decimal(repr(abs(float(effect_size)))).quantize(Decimal("0.01"), ROUND_HALF_UP))
    months = sum(size >= bound for bound in _TABLES[table])
    return months if effect_size >= 0 else -months
