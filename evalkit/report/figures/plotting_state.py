"""What matplotlib keeps for a whole process: put back after a notebook, and its backend for notebooks loaded afresh."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib_inline.config import InlineBackend

INLINE: Final = "module://matplotlib_inline.backend_inline"
"""The backend that shows figures below a cell, as matplotlib names it."""


def plotting_restore() -> Callable[[], None]:
    """Return what puts the settings of now back and closes every figure."""
    settings = dict(mpl.rcParams.items())

    def restore() -> None:
        plt.close("all")
        InlineBackend.clear_instance()
        dict.update(mpl.rcParams, settings)

    return restore


def draw_below_cells() -> None:
    """Have matplotlib load the backend of notebooks at the next figure: it remembers the shell it was loaded for."""
    sys.modules.pop(INLINE.removeprefix("module://"), None)
    InlineBackend.clear_instance()
    plt.close("all")
    plt._backend_mod = None
    dict.__setitem__(mpl.rcParams, "backend", INLINE)
