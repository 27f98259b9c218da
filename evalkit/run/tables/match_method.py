"""From what was asked of `evalkit match` to the option object of its method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from evalkit.core.errors import InputError
from evalkit.design.matching.options import (
    CoarsenedExact,
    CovariateBalancing,
    CovariateCaliper,
    EntropyBalancing,
    ExactMatching,
    FullMatching,
    InverseProbability,
    MatchingOption,
    NearestNeighbour,
    OptimalMatching,
    ProfileMatching,
    Subclassification,
    WeightingOption,
)
from evalkit.run.tables.match_options import MatchRequest

_FIELDS: Final = {
    "replace": "replacement",
    "reuse": "reuse_limit",
    "caliper_on": "calipers",
    "subclasses": "n_subclasses",
}
"""Options that are called otherwise in the option objects."""


def option_of(request: MatchRequest) -> MatchingOption | WeightingOption:
    """Return the option object of the method that was asked for."""
    makers: dict[str, Callable[..., MatchingOption | WeightingOption]] = {
        "nearest": NearestNeighbour,
        "optimal": OptimalMatching,
        "full": FullMatching,
        "exact": ExactMatching,
        "cem": CoarsenedExact,
        "subclass": Subclassification,
        "profile": ProfileMatching,
        "entropy": EntropyBalancing,
        "ipw": InverseProbability,
        "cbps": CovariateBalancing,
    }
    return makers[request.method](**_given(request))


def _given(request: MatchRequest) -> dict[str, Any]:
    fields = {_FIELDS.get(name, name): value for name, value in request.chosen.items()}
    if request.method in ("nearest", "optimal", "full"):
        fields |= {"exact": request.exact, "anti_exact": request.anti_exact}
    elif request.method == "profile":
        fields["exact"] = request.exact
    if request.method == "nearest":
        fields |= {name: _whole(name, fields[name]) for name in ("fewest", "most") if name in fields}
    if request.method == "ipw" and "distance" in fields:
        fields["link"] = fields.pop("distance")
    if "calipers" in fields:
        fields["calipers"] = {
            name: CovariateCaliper(width=caliper.width, in_units=caliper.in_units)
            for name, caliper in fields["calipers"].items()
        }
    return fields


def _whole(name: str, number: float) -> int:
    if number != int(number):
        raise InputError(f"--{name} is a whole number for nearest neighbours, not {number:g}.")
    return int(number)
