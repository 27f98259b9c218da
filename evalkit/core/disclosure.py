"""The fewest people that may be told, by where the records come from: the one home of these numbers."""

from __future__ import annotations

from typing import Final

FEWEST_PUBLISHED: Final = 6
"""Of tables that DfE has published: its performance tables suppress counts of 1 to 5 pupils."""

FEWEST_PEOPLE: Final = 10
"""Of records of people, whose counts nobody has published: what may leave a secure environment in the UK."""
