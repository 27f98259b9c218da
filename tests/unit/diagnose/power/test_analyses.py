"""What analyses of any kind could detect, from years before the programme alone."""

from types import SimpleNamespace

import pytest

from evalkit.core.errors import DesignError
from evalkit.core.quantities import Unavailable
from evalkit.diagnose.power.analyses import _least, _refuse, areas_power
from evalkit.diagnose.power.report import PowerOptions


def test_a_later_year_in_memory_is_refused() -> None:
    intake = SimpleNamespace(years=(2016, 2017, 2019))
    with pytest.raises(DesignError, match="2019 is in memory"):
        _refuse(intake, (2016, 2017))
    _refuse(SimpleNamespace(years=(2016, 2017)), (2016, 2017))


def test_the_least_effect_is_the_multiplier_times_the_spread() -> None:
    # sets: the customary 2.8 x .5 = 1.40, times a factor .5; with 10 degrees of freedom t(.975) + t(.8) = 2.228 + .879
    assert _least((0.5, None), 0.5, PowerOptions()) == pytest.approx(0.7)
    assert _least((1.0, 10.0), 1.0, PowerOptions()) == pytest.approx(3.107, abs=0.001)
    why = Unavailable("No set was drawn.")
    assert _least((why, None), 1.0, PowerOptions()) == why


def test_without_a_simulation_an_areas_analysis_gives_its_panel() -> None:
    why = Unavailable("No area has room for a set.")
    one = SimpleNamespace(simulated=why, panel=1.2, panel_method="areas alike", leads="none", why="Because.",
                          outcome=SimpleNamespace(code="READPROG"), label="Reading", unit="points",
                          simulated_test="sets")  # fmt: skip
    (row,) = areas_power([one], "main")
    assert (row.analysis, row.least, row.method) == ("main", 1.2, "areas alike")
    one.simulated = SimpleNamespace(effect=0.9)
    (row,) = areas_power([one], "main")
    assert (row.least, row.method) == (0.9, "simulation of sets")
