"""The registry refuses years and comparisons that do not exist, and knows which breaks may be crossed."""

import gzip
import runpy
from types import SimpleNamespace

import pytest

from evalkit.core.errors import ProjectError
from evalkit.core.project import Outcome, OwnBreak
from evalkit.data.measures import (
    LOWER,
    MEASURES,
    SdRule,
    measure,
    measure_of,
    read_registry,
    require_unbroken,
    require_years,
)
from tests.conftest import ROOT


@pytest.mark.parametrize("year", [2020, 2021])
def test_there_were_no_tests_in_2020_and_2021(year):
    with pytest.raises(ProjectError, match=f"does not exist for {year}.*no national tests"):
        require_years("READPROG", (2016, year))


def test_a_year_that_the_kit_lacks_is_not_said_to_have_no_results():
    said = "this kit does not know READPROG for 2015. It knows READPROG for 2016, 2017, 2018, 2019, 2022, 2023"
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
    # neither absence nor what is published of authorities counts pupils
    of_pupils = [m for m in MEASURES.values() if not m.subgroup and m.key_stage not in ("ABS", "AREA")]
    assert {m.pupils for m in of_pupils} == {"TELIG", "TPUP"}
    assert measure("READPROG_FSM6CLA1A").pupils == "TFSM6CLA1A"
    assert measure("READPROG_FSM6CLA1A").limits is None  # their own are published, but say nothing of all pupils


def test_every_measure_of_the_assembled_panels_is_known(shared_data):
    for stage in ("ks2", "ks4"):
        path = next((shared_data / "panel").glob(f"{stage}_school_panel*.csv.gz"))
        with gzip.open(path, "rt", encoding="utf-8") as stream:
            header = stream.readline().strip().split(",")
        published = header[header.index("TELIG" if stage == "ks2" else "GPUP") + 1 :]
        assert len(published) >= 6
        for name in published:
            assert measure(name).key_stage == stage.upper()


def test_every_column_of_the_registry_stands_in_the_untouched_tables(shared_data):
    for stage, first in (("KS2", 2017), ("KS4", 2017)):
        headers = {}
        for path in (shared_data / "performance-tables" / stage.lower()).glob("*final.csv"):
            with path.open(encoding="utf-8-sig") as stream:
                headers[int(path.name[5:9])] = set(stream.readline().strip().split(","))
        assert min(headers) == first
        for known in MEASURES.values():
            columns = {known.code, known.pupils, *(known.limits or ()), *known.sd.columns}
            for year in set(known.years) & set(headers) if known.key_stage == stage else ():
                assert columns <= headers[year], (known.code, year, columns - headers[year])


GOOD = """
schema_version: 2
absences: {}
small_numbers: {}
area_measures: []
breaks:
  tests: {before: 2015, after: 2016, kind: level, sentence: New tests.}
subgroups: {KS2: {B: {words: boys, pupils: BELIG}}}
measures:
  - code: X
    label: A score
    unit: points
    key_stage: KS2
    years: [2016, 2017]
    breaks: [tests]
    pupils: TELIG
    sd: {share: X}
    subgroups: {codes: [B], years: [2017]}
"""


def test_a_registry_is_read_with_its_subgroups():
    found = read_registry(GOOD)
    assert list(found) == ["X", "X_B"]
    assert found["X_B"].label == "A score (boys)"
    assert (found["X_B"].years, found["X_B"].pupils) == ((2017,), "BELIG")
    assert found["X"].breaks[0].sentence == "New tests."
    assert found["X"].sd == SdRule(kind="share", columns=("X",))


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("label: A score", "lable: A score", "measure X: there is no key 'lable'. Did you mean 'label'"),
        ("breaks: [tests]", "breaks: [test]", "measure X: there is no break 'test'. Did you mean 'tests'"),
        ("codes: [B]", "codes: [G]", "measure X: there is no subgroup 'G' of KS2"),
        ("kind: level", "kind: levels", "break tests: a break is of kind level or year-common, not 'levels'"),
        ("sd: {share: X}", "sd: {spread: X}", "measure X, sd: a standard deviation is given as"),
        ("sd: {share: X}", "sd: {stated: -1}", "measure X, sd: a stated standard deviation is a number above 0"),
        ("sd: {share: X}", "sd: {scaled_scores: [X]}", "measure X, sd: 'scaled_scores' does not take 1 columns"),
        ("    pupils: TELIG", "    pupils: TELIG\n    direction: up", "measure X: a direction is higher is better or"),
        ("    unit: points\n", "", "measure X: .*missing 1 required"),
        ("schema_version: 2", "version: 2", "the registry: exactly the keys"),
    ],
)
def test_a_registry_that_cannot_be_is_refused_with_its_place(was, becomes, said):
    assert was in GOOD
    with pytest.raises(ValueError, match=said):
        read_registry(GOOD.replace(was, becomes))


def test_a_project_has_measures_of_its_own_beside_the_published_ones():
    change = OwnBreak(before=2017, after=2018, sentence="Another edition of the test.")
    own = Outcome(
        role="primary", table="scores", column="days", label="Days absent", unit="days", direction="lower", sd=4.5,
        breaks=(change,),
    )  # fmt: skip
    plain = Outcome(role="secondary", table="scores", column="age")
    outcomes = (own, plain, Outcome(role="placebo", measure="MATPROG"))
    project = SimpleNamespace(outcomes=outcomes, contrasts=())
    found = measure_of(project, "scores.days")
    assert (found.label, found.said, found.unit, found.direction) == ("Days absent", "days absent", "days", LOWER)
    assert (found.key_stage, found.years, found.limits) == ("scores", (), None)
    assert found.sd == SdRule(kind="stated", value=4.5)
    with pytest.raises(ProjectError, match=r"scores\.days cannot be followed from 2017 to 2019: Another edition"):
        require_unbroken(found, (2017, 2019))
    require_unbroken(found, (2018, 2019))
    assert measure_of(project, "scores.age").label == "age"
    assert "states no standard deviation" in measure_of(project, "scores.age").sd.reason
    assert measure_of(project, "MATPROG") is MEASURES["MATPROG"]
    with pytest.raises(ProjectError, match=r"'scores\.dys' is not a measure"):
        measure_of(project, "scores.dys")


def test_the_page_of_measures_is_the_registry():
    path = ROOT / "tools" / "make_measures.py"
    made = runpy.run_path(str(path))["page"]()
    assert (ROOT / "docs" / "reference" / "measures.md").read_text(encoding="utf-8") == made, f"run python {path.name}"
    assert all(f"`{code}`" in made for code, known in MEASURES.items() if not known.subgroup)
