"""On how many threads processes of this kit do linear algebra: on one, as several may add in another order."""

from __future__ import annotations

from typing import Final

ONE_THREAD: Final = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)
"""Environment variables, and what they are set to."""
