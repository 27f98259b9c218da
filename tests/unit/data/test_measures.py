"""The registry refuses years and comparisons that do not exist, and knows which breaks may be crossed."""

import pytest

from evalkit.core.errors import ProjectError
from evalkit.data.measures import MEASURES, measure, require_years


@pytest.mark.parametrize("year", [2020, 2021])
def test_there_were_no_tests_in_2020_and_2021(year):
    with pytest.raises(ProjectError, match=f"does not exist for {year}.*no national tests"):
        require_years("READPROG", (2016, year))


def test_a_year_that_the_kit_lacks_is_not_said_to_have_no_results():
    said = "this kit does not know READPROG for 2015. It knows READPROG for 2016, 2017, 2018 and 2019"
    with pytest.raises(ProjectError, match=said) as refused:
        require_years("READPROG", (2015, 2016))
    assert "2020" not in str(refused.value)
    with pytest.raises(ProjectError, match=r"summers of 2020 and 2021\. This kit knows READPROG for 2016"):
        require_years("READPROG", (2016, 2021))


def test_a_level_break_is_refused():
    with pytest.raises(ProjectError, match="ATT8SCR cannot be followed from 2016 to 2019"):
        require_years("ATT8SCR", (2016, 2017, 2019))
    require_years("ATT8SCR", (2017, 2018, 2019))


def test_a_break_common_to_a_year_may_be_crossed_and_has_its_sentence():
    require_years("READPROG", (2016, 2017, 2018, 2019))
    writing = measure("WRITPROG").breaks_within((2016, 2017, 2018, 2019))
    assert [b.kind for b in writing] == ["year-common", "year-common"]
    assert any("no bound" in b.sentence for b in writing)
    assert all(b.bound is None for b in writing)
    assert measure("READPROG").breaks_within((2018, 2019)) == ()
    assert measure("READPROG").breaks_within((2016, 2017)) == ()


def test_an_unknown_measure_is_refused_with_the_nearest():
    with pytest.raises(ProjectError, match="Did you mean 'READPROG'"):
        measure("READPRG")


def test_columns_are_named_as_published():
    assert measure("READPROG").limits == ("READPROG_LOWER", "READPROG_UPPER", "READCOV")
    assert measure("MATPROG").limits == ("MATPROG_LOWER", "MATPROG_UPPER", "MATCOV")
    assert measure("P8MEA").limits == ("P8CILOW", "P8CIUPP", "P8MEACOV")
    assert measure("ATT8SCR").limits is None  # those of Progress 8 are of another scale: no SD comes from them
    assert {m.pupils for m in MEASURES.values()} == {"TELIG", "TPUP"}
