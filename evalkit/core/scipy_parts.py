"""Special functions, roots and ranks by scipy's compiled parts, without the packages around them.

`scipy.special` and `scipy.optimize` load so much beside what is used here, up to numpy's compiler of Fortran, that it
takes as long as a small table's whole work.
"""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any, Final

import numpy as np

from evalkit.core.arrays import Floats


def compiled_part(package: str, part: str) -> ModuleType:
    """Return the compiled part `part` of a package of scipy, such as `_ufuncs` of `scipy.special`.

    The package is not run for it, where it has not been and no other thread may be loading it; it can be loaded whole
    before or after, and the part is the same object. Where a version of scipy is laid out otherwise, the package is
    loaded as usual, and stands in for a part that it does not have.
    """
    if package not in sys.modules and threading.active_count() == 1:
        try:
            return _alone(package, part)
        except Exception:  # of another version, whose part needs its package
            pass
    whole = import_module(package)
    try:
        return import_module(f"{package}.{part}")
    except ImportError:  # of another version, which has no such part
        return whole


def _alone(package: str, part: str) -> ModuleType:
    """Return the part, loaded under a package that has not been run; none of that package is left."""
    spec = find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(package)
    root, _, name = package.partition(".")
    sys.modules[package] = module_from_spec(spec)
    try:
        return import_module(f"{package}.{part}")
    finally:
        del sys.modules[package]
        vars(sys.modules[root]).pop(name, None)


special: Final[Any] = compiled_part("scipy.special", "_ufuncs")
"""The special functions that are ufuncs of numpy: `ndtri`, `stdtr`, `chdtrc`, `expit`, …"""


# Roots of functions of one number, by Brent's method as scipy has it.


def brentq(
    function: Callable[[float], float],
    low: float,
    high: float,
    *,
    xtol: float = 2e-12,
    rtol: float = 8.881784197001252e-16,
    maxiter: int = 100,
) -> float:
    """Return where a function is zero between two places at which its signs differ.

    `xtol`, `rtol` and `maxiter` are those of `scipy.optimize.brentq`, whose compiled code this calls.

    >>> round(brentq(lambda x: x * x - 2, 0.0, 2.0), 6)
    1.414214

    Raises
    ------
    ValueError
        Where the signs do not differ, or the function has no value at a place.
    RuntimeError
        Where `maxiter` steps do not suffice.
    """

    def defined(x: float) -> float:
        value = function(x)
        if math.isnan(value):
            raise ValueError(f"The function has no value at {x}.")
        return value

    part = _zeros()
    if part is None:
        from scipy import optimize

        return float(optimize.brentq(defined, low, high, xtol=xtol, rtol=rtol, maxiter=maxiter))
    return float(part(defined, low, high, xtol, rtol, maxiter, (), False, True))


@cache
def _zeros() -> Callable[..., float] | None:
    """Return scipy's compiled search, None of a version that has it elsewhere."""
    found: Callable[..., float] | None = getattr(compiled_part("scipy.optimize", "_zeros"), "_brentq", None)
    return found


# Ranks with ties, as Wilcoxon's and Spearman's statistics have them.


def mean_ranks(values: Floats) -> Floats:
    """Return the rank of each value, shape (n,), counted from 1; equal values share the mean of their ranks.

    Mean ranks are halves at finest, so that every one is exact.

    >>> mean_ranks(np.array([30.0, 10.0, 20.0, 20.0])).tolist()
    [4.0, 1.0, 2.5, 2.5]
    """
    if np.isnan(values).any():
        raise ValueError("A value that is missing has no rank.")
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(sizes)
    ranks: Floats = (last - 0.5 * (sizes - 1))[group]
    return ranks
