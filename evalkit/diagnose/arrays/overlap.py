"""How much two weighted distributions have in common."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bandwidth = float

_CELLS_PER_BANDWIDTH: Final = 16
_REACH: Final = 4.0
"""Bandwidths beyond the data to which densities are drawn."""
_MOST_CELLS: Final = 1 << 16
"""Cells of the grid at most (half a megabyte); where more would be needed the bandwidth grows."""


def reference_bandwidth(values: Floats) -> Bandwidth:
    """Return 1.06 min(s, IQR / 1.34) n^(−1/5), the normal reference rule (Scott, 1992); 0 where nothing varies."""
    if len(values) < 2:
        return 0.0
    deviation = float(values.std(ddof=1))
    upper, lower = np.percentile(values, [75, 25])
    spread = min(deviation, float(upper - lower) / 1.34) or deviation
    return float(1.06 * spread * len(values) ** -0.2)


def overlap_coefficient(ordered: Floats, below: tuple[Floats, Floats], bandwidth: Bandwidth) -> float:
    """Return ∫ min(f1, f0), the area that two kernel densities share; NaN without a bandwidth.

    Parameters
    ----------
    ordered : shape (n,), values from the least to the largest
    below : two arrays of shape (n,)
        The share of each arm up to and including each of them.
    bandwidth : SD of the Gaussian kernel, the same for both arms
    """
    if not bandwidth > 0 or not len(ordered):
        return math.nan
    reach = float(ordered[-1] - ordered[0]) + 2 * _REACH * bandwidth
    n_cells = min(math.ceil(reach * _CELLS_PER_BANDWIDTH / bandwidth), _MOST_CELLS)
    step = reach / n_cells
    edges = ordered[0] - _REACH * bandwidth + step * np.arange(1, n_cells + 1)
    place = np.searchsorted(ordered, edges, side="right")
    last = np.maximum(place - 1, 0)
    kernel = _kernel(max(bandwidth, 2 * step) / step)
    densities = [_smoothed(np.diff(np.where(place > 0, arm[last], 0.0), prepend=0.0), kernel) for arm in below]
    return min(float(np.minimum(*densities).sum()), 1.0)


def _kernel(width: float) -> Floats:
    half = math.ceil(_REACH * width)
    bell = np.exp(-0.5 * (np.arange(-half, half + 1) / width) ** 2)
    shares: Floats = bell / bell.sum()
    return shares


def _smoothed(shares: Floats, kernel: Floats) -> Floats:
    size = 1 << (len(shares) + len(kernel) - 2).bit_length()
    smooth: Floats = np.fft.irfft(np.fft.rfft(shares, size) * np.fft.rfft(kernel, size), size)
    return np.maximum(smooth[: len(shares) + len(kernel) - 1], 0.0)
