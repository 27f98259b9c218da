"""Each check's verdict at and around its threshold."""

from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from evalkit.core.quantities import Unavailable
from evalkit.diagnose.checks_choice import choices
from evalkit.diagnose.checks_trend import placebo_outcome, pre_trend
from evalkit.diagnose.finding import Verdict


@dataclass
class Told:
    """Stands for results whose estimates are told."""

    estimates: dict

    primary = "READPROG"
    project = SimpleNamespace(
        exposure=SimpleNamespace(pre=(2016, 2017)),
        outcomes=(SimpleNamespace(measure="MATPROG", role="placebo"),),
    )

    def estimate(self, outcome, design="neighbours", period="post"):
        return self.estimates.get((outcome, design), Unavailable("Not told."))

    def effect(self, outcome, design="neighbours", period="post"):
        value = self.estimates.get((outcome, design))
        none = Unavailable("Not told.")
        return None if value is None else SimpleNamespace(estimate=value, p_value=none, interval=none)


@pytest.mark.parametrize(
    ("main", "other", "verdict"),
    [
        (0.40, 0.30, Verdict.REASSURING),  # moved by 0.10: a quarter of 0.40, under 0.25 points
        (0.40, 0.19, Verdict.CAUTION),  # moved by 0.21: more than half of 0.40
        (2.00, 1.75, Verdict.CAUTION),  # moved by 0.25 points
        (2.00, 1.76, Verdict.REASSURING),  # moved by 0.24 points and 12%
        (0.05, -0.01, Verdict.CAUTION),  # another sign
    ],
)
def test_choices(main, other, verdict):
    told = Told({("READPROG", "neighbours"): main, ("READPROG", "england"): other})
    assert choices(told).verdict is verdict
    assert choices(told).statistic == pytest.approx(abs(main - other))


@pytest.mark.parametrize(
    ("adjusted", "verdict"),
    [(0.49, Verdict.SERIOUS), (0.51, Verdict.CAUTION), (-0.9, Verdict.SERIOUS), (1.4, Verdict.CAUTION)],
)
def test_pre_trend(adjusted, verdict):
    told = Told(
        {
            ("READPROG", "neighbours"): 1.0,
            ("READPROG", "neighbours_before"): 0.2,
            ("READPROG", "neighbours_trend_adjusted"): adjusted,
        }
    )
    assert pre_trend(told).verdict is verdict
    assert pre_trend(told).statistic == 0.2


@pytest.mark.parametrize(
    ("placebo", "verdict"),
    [
        (0.49, Verdict.REASSURING),
        (0.50, Verdict.CAUTION),
        (1.0, Verdict.SERIOUS),
        (-0.9, Verdict.CAUTION),
        (-0.4, Verdict.REASSURING),
    ],
)
def test_placebo_outcome(placebo, verdict):
    told = Told({("READPROG", "neighbours"): 1.0, ("MATPROG", "neighbours"): placebo})
    assert placebo_outcome(told).verdict is verdict


def test_what_cannot_be_assessed_says_why():
    for check in (choices, pre_trend, placebo_outcome):
        found = check(Told({}))
        assert found.verdict is Verdict.NOT_ASSESSABLE
        assert found.sentence
