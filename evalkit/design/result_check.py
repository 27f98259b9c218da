"""Every constraint looked at once more in what a matching method returned."""

from __future__ import annotations

from evalkit.design.matched import MatchedDesign


def require_rules_kept(design: MatchedDesign) -> None:
    """Raise an error where a result breaks what its option promises."""
