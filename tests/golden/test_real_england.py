"""The kit's numbers on the published England, against plain pandas on the same files."""

import csv
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.core.project import Participants
from evalkit.data.measures import MEASURES
from evalkit.data.published.assembled import read_assembled
from evalkit.data.published.performance import national_shares, published_shares
from evalkit.data.published.project_data import read_baseline, read_records
from evalkit.data.published.sources import find_sources
from evalkit.design.project.plan import make_design
from evalkit.estimate.areas.outcome_effects import estimate_outcome
from evalkit.estimate.published_spread import pupil_sd, unconditional_spread
from evalkit.run.project.project_file import load_project
from tests.england_by_hand import changes, lists

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "data" / "projects" / "knowsley-ssif"


@pytest.fixture(scope="module")
def panel(shared_data):
    path = shared_data / "panel" / "ks2_school_panel_2016_2019_england.csv.gz"
    return pd.read_csv(path, dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def analysis(shared_data):
    project = load_project(FOLDER / "project.yml")
    sources = find_sources(shared_data)
    design = make_design(project, read_baseline(project, FOLDER, sources))
    intake = read_records(project, FOLDER, sources)
    found = {o.measure: estimate_outcome(project, intake, design.outcomes[o.measure], o.role) for o in project.outcomes}
    return design, intake, found


def effect(analysis, outcome, design, period="post", inference="permutation"):
    return next(
        e for e in analysis[2][outcome].effects if (e.design, e.period, e.inference) == (design, period, inference)
    )


def test_who_is_analysed(panel):
    found = changes(panel, "READPROG")
    assert len(found) == 14_071
    sizes = found["area"].value_counts()
    assert sizes[340] == 49
    assert (sizes >= 5).sum() == 149


@pytest.mark.parametrize(
    ("measure", "design", "workbook", "published", "n"),
    [
        ("READPROG", "neighbours", "sn_april_2021.xlsx", 0.9381, 563),
        ("READPROG", "neighbours_2025", "sn_may_2025.xlsx", 1.3549, 740),
        ("MATPROG", "neighbours", "sn_april_2021.xlsx", 0.5966, 562),
    ],
)
def test_against_neighbours(panel, shared_data, analysis, measure, design, workbook, published, n):
    found = changes(panel, measure)
    compared = found[found["area"].isin([code for code in lists(shared_data, workbook)[340] if code != 340])]
    own = found.loc[found["area"] == 340, "change"]
    estimate = own.mean() - compared["change"].mean()
    assert estimate == pytest.approx(published, abs=5e-5)
    kit = effect(analysis, measure, design)
    assert kit.estimate == pytest.approx(estimate, abs=1e-10)
    assert (kit.n_treated, kit.n_comparison) == (len(own), len(compared)) == (49, n)
    error = np.sqrt(own.var() / len(own) + compared["change"].var() / len(compared))
    assert effect(analysis, measure, design, inference="cluster").std_error == pytest.approx(error, abs=1e-10)


def test_against_the_rest_of_england(panel, analysis):
    found = changes(panel, "READPROG")
    own = found["area"] == 340
    estimate = found.loc[own, "change"].mean() - found.loc[~own, "change"].mean()
    assert estimate == pytest.approx(1.0773, abs=5e-5)
    kit = effect(analysis, "READPROG", "england")
    assert kit.estimate == pytest.approx(estimate, abs=1e-10)
    assert kit.n_comparison == 14_071 - 49


def test_the_permutation_over_areas(panel, shared_data, analysis):
    found, near = changes(panel, "READPROG"), lists(shared_data, "sn_april_2021.xlsx")
    mean = found.groupby("area")["change"].agg(["sum", "size"])
    effects = {}
    for area in mean.index[mean["size"] >= 5]:
        others = mean.loc[[code for code in near.get(area, []) if code in mean.index and code not in (340, area)]]
        if len(others):
            effects[area] = mean.loc[area, "sum"] / mean.loc[area, "size"] - others["sum"].sum() / others["size"].sum()
    size = pd.Series(effects).abs()
    kit = effect(analysis, "READPROG", "neighbours")
    assert len(size) == kit.permutation.n_areas == 149
    assert kit.p_value == (size >= size[340]).sum() / 149
    assert kit.p_value_one_sided == (pd.Series(effects) >= effects[340]).sum() / 149
    assert kit.permutation.rank == 1 + (size > size[340]).sum()
    # 7/149 rejects at 5% and 8/149 does not: the interval reaches as far as the seventh largest of the others.
    reach = size.drop(340).nlargest(7).iloc[-1]
    assert kit.interval.upper - kit.estimate == pytest.approx(reach, abs=1e-10)
    assert kit.estimate - kit.interval.lower == pytest.approx(reach, abs=1e-10)


def test_the_event_study_stands_on_the_headline_s_base(analysis):
    years = {year: effect(analysis, "READPROG", "neighbours", str(year)).estimate for year in (2016, 2017, 2018, 2019)}
    assert years[2016] + years[2017] == pytest.approx(0, abs=1e-12)
    assert years[2019] == effect(analysis, "READPROG", "neighbours").estimate
    lead = effect(analysis, "READPROG", "neighbours_before", "2017").estimate
    assert lead == pytest.approx(years[2017] - years[2016], abs=1e-12)
    # 2019 lies 2.5 years after the mean of 2016 and 2017.
    adjusted = effect(analysis, "READPROG", "neighbours_trend_adjusted").estimate
    assert adjusted == pytest.approx(years[2019] - 2.5 * lead, abs=1e-12)


def test_the_pupil_level_sd_of_reading_in_2019(shared_data, analysis):
    path = shared_data / "performance-tables" / "ks2" / "2018-2019_850_ks2final.csv"
    values = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            try:
                width = (float(row["READPROG_UPPER"]) - float(row["READPROG_LOWER"])) / 2
                pupils = float(row["TELIG"]) * float(row["READCOV"].removesuffix("%")) / 100
            except (TypeError, ValueError):
                continue
            if row["RECTYPE"] == "1" and pupils >= 40:
                values.append(width * pupils**0.5 / 1.96)
    limits = analysis[1].limits["READPROG"]
    kit = pupil_sd(limits.half_width, limits.pupils)
    assert kit == pytest.approx(float(np.median(values)), abs=1e-10)
    assert kit == pytest.approx(6.17, rel=0.01)
    size = effect(analysis, "READPROG", "neighbours").effect_size
    assert size.hedges_g_conditional == pytest.approx(0.938108529 / kit, abs=1e-9)
    assert size.hedges_g_conditional == pytest.approx(0.152, abs=5e-4)


def test_six_secondaries_are_too_few(analysis):
    found = analysis[2]["P8MEA"].effects
    assert {e.inference for e in found} == {"permutation", "cluster"}
    assert all("Six schools" in e.estimate.reason for e in found)


def test_matched_pairs_keep_to_the_region_and_to_other_areas(analysis):
    design, intake, _ = analysis
    schools = intake.records["KS2"].schools
    pairs = design.outcomes["READPROG"].matches["matched"].pairs(340)
    assert len(pairs) == 5 * pairs["treated"].nunique() == 245
    assert set(schools.loc[pairs["comparison"], "region"]) == {"North West"}
    assert 340 not in set(schools.loc[pairs["comparison"], "area"])


def test_falsification_tests_on_the_published_england(analysis, panel, shared_data):
    from evalkit.data.flow import Flow
    from evalkit.diagnose.project import falsification
    from evalkit.diagnose.project.describe import describe_design
    from evalkit.diagnose.project.results import Results

    design, intake, found = analysis
    project = load_project(FOLDER / "project.yml")
    stage = describe_design(project, read_baseline(project, FOLDER, find_sources(shared_data)), design)
    results = Results(project, intake, design, stage, found, Flow(()), stage.detectable)
    tests = {test.name: test for test in falsification.ranked_tests(results)}
    assert {name: test.n_as_large for name, test in tests.items()} == {
        "pre_trend": 56,
        "placebo_outcome": 37,
        "alternative_list": 3,
        "influence": 29,
    }
    # Leaving out one school by hand: (c − m) / (n − 1) for the one furthest from its arm's mean.
    rows = changes(panel, "READPROG")
    near = [code for code in lists(shared_data, "sn_april_2021.xlsx")[340] if code != 340]
    arms = [rows.loc[rows["area"].isin(codes), "change"] for codes in ([340], near)]
    assert tests["influence"].points == pytest.approx(max((c - c.mean()).abs().max() / (len(c) - 1) for c in arms))
    # A trend that would bias the effect by 1.40 points, 0.56 a year, is found in a quarter or so of areas.
    assert 0.15 <= tests["pre_trend"].detected(1.4014) <= 0.30
    assert falsification.joint_of([*tests.values()]).p_value == pytest.approx(10 / 149)


# By another program (pandas and scipy.stats.norm over the panel's rows): reading, then maths, 2016 to 2018.
SCALED_SCORE_SD = {"READ_AVERAGE": (7.638, 7.879, 7.850), "MAT_AVERAGE": (6.678, 6.989, 7.045)}


@pytest.mark.parametrize("code", SCALED_SCORE_SD)
def test_the_sd_of_scaled_scores_of_all_pupils(shared_data, code):
    path = next((shared_data / "panel").glob("ks2_school_panel*.csv.gz"))
    columns, years = MEASURES[code].sd.columns, (2016, 2017, 2018)
    listing = read_assembled(path, [code], "TELIG", years, columns)
    for year, expected in zip(years, SCALED_SCORE_SD[code], strict=True):
        spread = unconditional_spread(MEASURES[code], national_shares(listing, columns, year))
        assert spread.sd == pytest.approx(expected, abs=6e-4)
    assert national_shares(listing, columns, 2019) is None  # the panel has progress scores of 2019 alone


def test_effects_on_progress_are_standardised_by_all_pupils_of_the_last_summer_before(analysis):
    size = effect(analysis, "READPROG", "neighbours").effect_size
    assert size.sd_used == pytest.approx(7.879, abs=6e-4)
    assert size.hedges_g == pytest.approx(0.938108529 / 7.879, abs=2e-5)
    assert size.hedges_g == pytest.approx(0.119, abs=5e-4)
    assert "England's schools, 2017" in size.sd_name
    assert (size.months.estimate, size.months.table) == (2, "EEF Toolkit conversion table")
    assert "no distribution of pupils' Attainment 8" in unconditional_spread(MEASURES["P8MEA"], None).sd.reason


def test_shares_printed_for_england_agree_with_those_of_schools(shared_data):
    sources = find_sources(shared_data)
    for year, expected in ((2017, 7.879), (2018, 7.850)):
        printed = published_shares(sources, MEASURES["READPROG"], year)
        # whole per cent: half a point of each share moves the standard deviation by up to 2 %
        assert unconditional_spread(MEASURES["READPROG"], printed).sd == pytest.approx(expected, rel=0.02)
    grammar = published_shares(sources, MEASURES["GPS_AVERAGE"], 2017)
    assert grammar is not None  # the panel lacks PTGPS_HIGH
    assert 7 < unconditional_spread(MEASURES["GPS_AVERAGE"], grammar).sd < 11


# Several areas: each against its own neighbours, then averaged by treated schools.

SIX = (340, 343, 350, 390, 373, 330)
TWO = (340, 342)


@pytest.fixture(scope="module")
def several(shared_data, tmp_path_factory):
    """Return a function that gives the effects on reading of some participants; nothing here asks for matches."""
    folder, sources = tmp_path_factory.mktemp("several"), find_sources(shared_data)
    whole = load_project(FOLDER / "project.yml")
    primary = tuple(outcome for outcome in whole.outcomes if outcome.measure == "READPROG")
    alone = replace(whole, outcomes=primary, claims=None, contrasts=())

    def of(participants, urns=()):
        (folder / "participants.csv").write_text("\n".join(["URN", *urns]), encoding="utf-8")
        project = replace(alone, participants=participants)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("evalkit.design.project.plan._matching_options", lambda *arguments: {})
            design = make_design(project, read_baseline(project, folder, sources))
        found = estimate_outcome(
            project, read_records(project, folder, sources), design.outcomes["READPROG"], "primary"
        )
        return next(e for e in found.effects if (e.design, e.period, e.inference) == ("neighbours", "post", "sets"))

    return of


def compared(found, shared_data, treated):
    """Mean change of each area's own neighbours, less itself and every treated area; areas of five schools or more."""
    near = lists(shared_data, "sn_april_2021.xlsx")
    mean = found.groupby("area")["change"].agg(["sum", "size"])
    means = {}
    for area in mean.index[mean["size"] >= 5]:
        others = mean.loc[[one for one in near.get(area, []) if one in mean.index and one not in (area, *treated)]]
        if len(others):
            means[area] = others["sum"].sum() / others["size"].sum()
    return pd.Series(means)


def test_two_whole_boroughs_among_every_pair_of_other_areas(panel, shared_data, several):
    found = changes(panel, "READPROG")
    others = compared(found, shared_data, TWO)
    mean = found.groupby("area")["change"].agg(["mean", "size"]).loc[others.index]
    gap, size = mean["mean"] - others, mean["size"]
    estimate = np.average(gap[list(TWO)], weights=size[list(TWO)])
    kit = several(Participants(areas=TWO))
    assert kit.estimate == pytest.approx(estimate, abs=1e-10)
    assert (kit.n_treated, kit.sets.n_areas, kit.sets.is_whole) == (102, 149, True)
    assert estimate == pytest.approx(1.0649, abs=5e-5)
    # All 147 · 146/2 pairs of which the kit draws 9,999.
    pairs = np.array(list(combinations(sorted(set(gap.index) - set(TWO)), 2)))
    assert len(pairs) == 10_731
    gaps, sizes = (of.loc[pairs.ravel()].to_numpy().reshape(pairs.shape) for of in (gap, size))
    every = np.abs((gaps * sizes).sum(axis=1) / sizes.sum(axis=1))
    share = (every >= estimate).mean()
    assert kit.p_value == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 9_999) + 1e-4)
    reach = (kit.interval.upper - kit.interval.lower) / 2
    assert np.quantile(every, 0.94) < reach < np.quantile(every, 0.96)


def test_six_schools_in_each_of_six_areas_among_sets_of_six_others(panel, shared_data, several):
    found = changes(panel, "READPROG")
    others = compared(found, shared_data, SIX)
    own = {area: sorted(found.index[found["area"] == area])[:6] for area in SIX}
    sizes = [len(schools) for schools in own.values()]
    gaps = [found.loc[schools, "change"].mean() - others[area] for area, schools in own.items()]
    estimate = np.average(gaps, weights=sizes)
    urns = panel.loc[panel["YEAR"] == "2019"].drop_duplicates("SCHOOL_ID").set_index("SCHOOL_ID")["URN"]
    listed = [urns[school] for schools in own.values() for school in schools]
    kit = several(Participants(file="participants.csv"), listed)
    assert kit.sets.unadjusted == pytest.approx(estimate, abs=1e-10)
    assert (kit.n_treated, kit.sets.n_treated_areas) == (sum(sizes), 6)
    # Another 2,000 draws, by another generator: areas and sizes in random order, until each area holds its size.
    random, values = np.random.default_rng(1), found["change"].to_numpy()
    at = {area: np.flatnonzero(found["area"] == area) for area in others.index if area not in SIX}
    codes, drawn = np.array(sorted(at)), []
    while len(drawn) < 2_000:
        areas, of = random.choice(codes, 6, replace=False), random.permutation(sizes)
        if all(len(at[area]) >= n for area, n in zip(areas, of, strict=True)):
            means = [values[random.choice(at[a], n, replace=False)].mean() for a, n in zip(areas, of, strict=True)]
            drawn.append(np.average(means - others[areas].to_numpy(), weights=of))
    assert kit.sets.rule == "simple"
    share = (np.abs(drawn) >= abs(estimate)).mean()
    assert kit.p_value == pytest.approx(share, abs=4 * np.sqrt(max(share, 0.01) * (1 - share) / 2_000))
    reach = (kit.interval.upper - kit.interval.lower) / 2
    assert np.quantile(np.abs(drawn), 0.93) < reach < np.quantile(np.abs(drawn), 0.97)
