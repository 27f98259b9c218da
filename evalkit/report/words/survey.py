"""The answer of a survey in sentences that name no cause."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evalkit.core.formats import level_text
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import listed
from evalkit.diagnose.kinds.survey import OTHERS, PARTICIPANTS, SURVEYED, Changed, ScaleResults, SurveyFindings

GROUPS: Final = {PARTICIPANTS: "Schools that took part", OTHERS: "Other schools", SURVEYED: "Schools surveyed"}
"""The words for each group of schools."""
NO_CAUSE: Final = "This says what became otherwise between the waves, and nothing of why."


def survey_headline(found: SurveyFindings) -> Iterator[str]:
    """Yield what became otherwise between the waves, or the means of the only one."""
    if not found.plan.has_two_waves:
        told = [f"{_number(one.waves[0].mean)} in {one.scale.label}" for one in found.scales]
        yield f"In {found.label(0)} the mean score was {listed(told, 12)}."
        return
    moved = [text for one in found.scales if (text := _moved(one, one.changes[found.main_group]))]
    who = GROUPS[found.main_group].lower()
    if not moved:
        yield f"No school answered in both waves, so that no change of the {who} can be told."
        return
    level = level_text(found.plan.project.inference.level)
    yield (
        f"From {found.label(0)} to {found.label(1)} the mean score of {who} changed by {listed(moved, 12)} "
        f"(points of the scale, each school counting one; {level} intervals)."
    )
    yield NO_CAUSE


def _moved(one: ScaleResults, changed: Changed) -> str:
    change = changed.change
    if isinstance(change, Unavailable):
        return ""
    interval = change.interval
    sure = f" ({_ends(interval)})" if isinstance(interval, Interval) else ""
    return f"{_signed(change.estimate)}{sure} in {one.scale.label}"


def _ends(interval: Interval) -> str:
    return f"{_signed(interval.lower)} to {_signed(interval.upper)}"


def _signed(value: float) -> str:
    text = f"{abs(value):.2f}"
    return text if value >= 0 or float(text) == 0 else f"−{text}"


def _number(mean: object) -> str:
    return "not given" if isinstance(mean, Unavailable) else f"{getattr(mean, 'mean', float('nan')):.2f}"
