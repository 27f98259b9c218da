"""Every layout that a file can be told by. A further one is a module in this folder and its name here."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Final

from evalkit.data.files.layout import Layout

MODULES: Final = (
    "performance_tables",
    "ees_schools",
    "ees",
    "lait",
    "exclusions",
    "school_census",
    "ofsted",
    "destinations",
    "deprivation",
    "similar_schools",
    "pupils",
    "not_data",
    "boundaries",
    "gias",
    "gias_groups",
    "neighbours",
)
"""Modules of this folder; each has a constant `LAYOUTS`. A file that several fit is of the first."""


@cache
def layouts() -> tuple[Layout, ...]:
    """Return every layout, those told by more columns first within a module."""
    made = (import_module(f"evalkit.data.layouts.{name}").LAYOUTS for name in MODULES)
    return tuple(layout for several in made for layout in several)
