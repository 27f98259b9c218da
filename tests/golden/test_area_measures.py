"""Projects of measures that are published of authorities, on the published files; every number worked again from them.

The other road is plain pandas and `numpy.linalg.lstsq` on the untouched file: no reader, table of areas or kernel of
the kit is on it. The kit solves the same least squares by a pseudo-inverse, so that estimates agree to rounding (1e-9
of values under 100) and p-values, which are ranks, exactly. `evalkit synth` is given the series that pandas read.
"""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from evalkit.core.errors import MissingData
from evalkit.core.quantities import Unavailable
from evalkit.data.areas.borders import area_borders
from evalkit.data.areas.boundaries import read_boundaries
from evalkit.diagnose.finding import Verdict
from evalkit.report.kinds import series as series_shown
from evalkit.run.notebooks.session import open_design, open_evaluation

SLOW = pytest.mark.slow
KNOWSLEY = 340
MANCHESTER = [*range(350, 360)]
"""Bolton, Bury, Manchester, Oldham, Rochdale, Salford, Stockport, Tameside, Trafford, Wigan."""

PROJECT = """\
schema_version: 2
slug: area
title: An authority and its neighbours
question: Did it leave its course?
programme: {{name: P, place: {place}, funder: F, aim: to move it, start: {start}, end: 2024-07-31}}
participants: {{areas: {areas}}}
seed: 1
outcomes:
  - {{measure: {outcome}, role: primary}}
analyses:
  - {{name: main, kind: {kind}, primary: true{options}}}
{more}"""


def project(folder, outcome, start, kind="series", areas=(KNOWSLEY,), options="", more=""):
    place = "Knowsley" if len(areas) == 1 else "Greater Manchester"
    text = PROJECT.format(
        outcome=outcome, start=start, kind=kind, areas=list(areas), options=options, more=more, place=place
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "project.yml").write_text(text)
    return folder / "project.yml"


def results(path, data):
    return open_evaluation(str(path), data=str(data)).primary


# The files as pandas reads them: one row an authority, one column a year.


def of_lait(shared_data, measure):
    table = pd.read_parquet(shared_data / "lait" / "bds_long_0.parquet")
    rows = table[(table["Short Desc"] == measure) & (table["LA Number"] < 970)]
    year = rows["Years"].map(lambda label: int(label[:4]) + ("/" in label))
    value = pd.to_numeric(rows["Values"].where(rows["Values"] != "-"))
    wide = pd.DataFrame({"area": rows["LA Number"].astype(int), "year": year, "value": value})
    return wide.pivot_table(index="area", columns="year", values="value", dropna=False).dropna(axis=1, how="all")


def lait_codes(shared_data):
    table = pd.read_parquet(shared_data / "lait" / "bds_long_0.parquet", columns=["LA and Regions", "LA Number"])
    own = table[table["LA Number"] < 970].drop_duplicates()
    return dict(zip(own["LA and Regions"].str.casefold(), own["LA Number"].astype(int), strict=True))


FORMER = {
    "bristol city of": 801, "kingston upon hull city of": 810, "st. helens": 342, "durham": 840, "herefordshire": 884,
    "isles of scilly": 420, "bournemouth": 837, "poole": 836, "dorset": 835, "bedfordshire (pre lgr 2009)": 820,
    "cheshire (pre lgr 2009)": 875, "telford and wrekin": 894, "northamptonshire": 928, "cumbria": 909,
    "bedford": 822, "southend-on-sea": 882, "brighton and hove": 846, "buckinghamshire": 825,
}  # fmt: skip
"""Codes of names that the interactive tool spells otherwise or has no longer."""


def of_exclusions(shared_data, column, school_type):
    table = pd.read_csv(shared_data / "exclusions" / "clean_la_data.csv", dtype=str)
    rows = table[(table["level"] == "Local authority") & (table["school_type"] == school_type)]
    rows = rows[rows["la_name"].notna()]  # a row of no authority
    codes = lait_codes(shared_data) | FORMER
    area = rows["la_name"].str.casefold().map(codes)
    assert area.notna().all(), rows["la_name"][area.isna()].unique()
    value = pd.to_numeric(rows[column], errors="coerce")
    year = rows["year"].str[:4].astype(int) + 1
    wide = pd.DataFrame({"area": area.astype(int), "year": year, "value": value})
    return wide.pivot_table(index="area", columns="year", values="value", dropna=False)


def of_ratings(shared_data, years):
    ratings = pd.read_csv(shared_data / "ofsted" / "ofsted_ratings_history_to_2020.csv", dtype=str)
    spine = pd.read_csv(shared_data / "gias" / "england_spine_2017-2018.csv", dtype=str, encoding="utf-8-sig")
    spine = spine.drop_duplicates("URN").set_index("URN")
    ratings["good"] = ratings["Rating"].isin(["Outstanding", "Good"])
    ratings["area"] = ratings["URN"].map(spine["LA"])
    ratings["closed"] = ratings["URN"].map(spine["CLOSEDATE"]).str[:10].str.replace("-", "")
    found = {}
    for year in years:
        cut = f"{year}0831"
        seen = ratings[(ratings["Inspection Date"] <= cut) & ratings["area"].notna()]
        seen = seen[seen["closed"].isna() | (seen["closed"] > cut)].sort_values(
            ["Inspection Date", "good"], ascending=[True, False]
        )
        latest = seen.groupby("URN").last()
        counts = latest.groupby(latest["area"].astype(int))["good"].agg(["mean", "size"])
        found[year] = 100 * counts["mean"][counts["size"] >= 10]
    return pd.DataFrame(found)


def of_open_data(shared_files, name, column, **where):
    table = pd.read_csv(shared_files / "ees" / name, dtype=str, encoding="utf-8-sig")
    rows = table[table["geographic_level"] == "Local authority"]
    for key, value in where.items():
        rows = rows[rows[key].str.strip() == value]
    wide = pd.DataFrame(
        {
            "area": rows["old_la_code"].astype(int),
            "year": rows["time_period"].str[:4].astype(int) + 1,
            "value": pd.to_numeric(rows[column], errors="coerce"),
        }
    )
    return wide.pivot_table(index="area", columns="year", values="value", dropna=False).dropna(axis=1, how="all")


def neighbours(shared_files):
    path = shared_files / "neighbours" / "New_Statistical_Neighbour_Groupings_April_2021.csv"
    table = pd.read_csv(path, dtype=str, encoding="utf-8-sig", index_col=False)
    columns = [name for name in table.columns if name.startswith("SN") and not name.startswith("SNP")]
    rows = table[table["LA num"].str.fullmatch(r"\d{3}").fillna(False)]
    return {
        int(row["LA num"]): {int(row[name]) for name in columns if str(row[name]).isdigit()}
        for _, row in rows.iterrows()
    }


# The kind `series` once more.


def by_hand(wide, near, start, treated):
    """Return the effect on each authority as if it had started then, by least squares on its gap to its neighbours."""
    years = wide.columns.to_numpy()
    before, after = (years < start).sum(), (years >= start).sum()
    since, is_after = years - start, (years >= start).astype(float)
    columns = [np.ones(len(years)), is_after]
    has_slope = before >= 4 and after >= 3
    columns += [since, is_after * since] if has_slope else []
    found = {}
    for area in wide.index:
        others = [one for one in near.get(area, ()) if one in wide.index and one not in treated]
        if others:
            gap = (wide.loc[area] - wide.loc[others].mean()).to_numpy()
            at = np.linalg.lstsq(np.column_stack(columns), gap, rcond=None)[0]
            slope = at[3] * since[is_after > 0] if has_slope else 0.0
            found[area] = float(np.mean(at[1] + slope))
    return pd.Series(found)


def rank_p(effects, treated):
    size = effects.abs()
    return float((size >= size[treated] - 1e-9).mean())


SERIES = [
    ("overall_absence", "2018-09-01", lambda data, files: of_lait(data, "TotAbs")),
    pytest.param("fixed_exclusions", "2021-09-01", lambda data, files: of_lait(data, "TotFixedEx"), marks=SLOW),
    ("secondary_fixed_exclusions", "2012-09-01", lambda d, _: of_exclusions(d, "fixed_excl_rate", "Secondary")),
    pytest.param(
        "permanent_exclusions",
        "2010-09-01",
        lambda d, _: of_exclusions(d, "perm_excl_rate", "Total"),
        marks=SLOW,
    ),
    ("good_or_better", "2013-09-01", lambda data, files: of_ratings(data, range(2006, 2020))),
    pytest.param("progress_8_of_area", "2018-09-01", lambda data, files: of_lait(data, "AVG_Prog8_Score"), marks=SLOW),
]


@pytest.mark.parametrize(("code", "start", "raw"), SERIES)
def test_a_series_is_what_pandas_makes_of_the_file(tmp_path, shared_data, shared_files, code, start, raw):
    found = results(project(tmp_path, code, start), shared_data)
    one = found.details.primary
    first = int(start[:4]) + 1
    wide = raw(shared_data, shared_files)[list(one.years)].dropna()
    assert KNOWSLEY in wide.index
    effects = by_hand(wide, neighbours(shared_files), first, {KNOWSLEY})
    main = found.main(code)
    assert main.estimate == pytest.approx(effects[KNOWSLEY], abs=1e-9)
    assert one.overall.n_areas == len(effects)
    assert main.p_value == pytest.approx(rank_p(effects, KNOWSLEY), abs=1e-12)


@pytest.mark.parametrize(
    ("code", "name", "column", "where", "start"),
    [
        (
            "good_level_of_development",
            "EYFSP_APS_GLD_ELG_underlying_data_2013_2018.csv.gz",
            "gld_percent",
            {"characteristic_group": "Total", "characteristic": "Total"},
            "2015-09-01",
        ),
        (
            "children_in_need_absence",
            "absence_la.csv.gz",
            "pt_overall",
            {"social_care_group": "CINO at 31 March", "phase_type_grouping": "Total"},
            "2021-09-01",
        ),
        pytest.param(
            "children_in_need_reading_writing_maths",
            "ks2_la.csv.gz",
            "pt_rwm_met_expected_standard",
            {"social_care_group": "CINO at 31 March"},
            "2021-09-01",
            marks=SLOW,
        ),
    ],
)
def test_open_data_of_authorities(tmp_path, shared_files, code, name, column, where, start):
    found = results(project(tmp_path, code, start), shared_files)
    one = found.details.primary
    wide = of_open_data(shared_files, name, column, **where)[list(one.years)].dropna()
    effects = by_hand(wide, neighbours(shared_files), int(start[:4]) + 1, {KNOWSLEY})
    assert found.main(code).estimate == pytest.approx(effects[KNOWSLEY], abs=1e-9)
    assert found.main(code).p_value == pytest.approx(rank_p(effects, KNOWSLEY), abs=1e-12)
    assert one.source.file == f"ees/{name}"


def test_the_releases_and_the_interactive_tool_agree_where_both_have_a_year(shared_data):
    """Of 2015/16 and 2016/17 the tool has the rates of the releases, rounded to three places at the most."""
    for column, kind, measure in (
        ("fixed_excl_rate", "Secondary", "SecFixedEx"),
        ("fixed_excl_rate", "Total", "TotFixedEx"),
        ("perm_excl_rate", "Total", "TotPermEx"),
        ("one_or_more_fixed_excl_rate", "Total", "Total_ Pup_FixedEx"),
    ):
        release, tool = of_exclusions(shared_data, column, kind), of_lait(shared_data, measure)
        both = (release[[2016, 2017]] - tool[[2016, 2017]]).stack().dropna()
        assert len(both) > 250
        assert (both.abs() <= 0.0051).mean() > 0.97


# The kind `synthetic`, and the command.

SYNTHETIC = [
    ("fixed_exclusions", "2021-09-01", lambda data: of_lait(data, "TotFixedEx")),
    pytest.param("overall_absence", "2021-09-01", lambda data: of_lait(data, "TotAbs"), marks=SLOW),
    ("good_or_better", "2013-09-01", lambda data: of_ratings(data, range(2006, 2020))),
]


@pytest.mark.parametrize(("code", "start", "raw"), SYNTHETIC)
def test_a_synthetic_control_is_that_of_the_command_on_the_same_file(tmp_path, shared_data, code, start, raw):
    found = results(project(tmp_path, code, start, "synthetic"), shared_data)
    one = found.details.primary
    wide = raw(shared_data)
    first = int(start[:4]) + 1
    table = wide.rename_axis("area").melt(ignore_index=False, var_name="year", value_name="rate").dropna()
    table.to_csv(tmp_path / "raw.csv")
    columns = ["--unit", "area", "--period", "year", "--outcome", "rate"]
    command = ["synth", str(tmp_path / "raw.csv"), *columns, "--treated", str(KNOWSLEY), "--start", str(first)]
    ran = subprocess.run(
        [sys.executable, "-m", "evalkit", *command, "--json", "--quiet"], capture_output=True, text=True, check=True
    )
    said = json.loads(ran.stdout)
    main = found.main(code)
    if isinstance(main.estimate, Unavailable):
        assert said["estimate"]["reason"] == main.estimate.reason
    else:
        assert main.estimate == pytest.approx(said["estimate"], abs=1e-9)
        assert main.p_value == pytest.approx(said["placebo_p"], abs=1e-12)
    # and by hand: what was measured less the donors by their weights, in the untouched file
    control = one.study.synthetic
    donors = wide.loc[[int(area) for area in one.plan.donors]]
    donors = donors[donors[list(control.design.periods)].notna().all(axis=1)]
    gap = wide.loc[KNOWSLEY] - (donors.T @ control.weights)
    assert float(control.fit.estimate) == pytest.approx(gap[[t for t in control.design.periods if t >= first]].mean())


# Ten boroughs of one region.


def bordered(folder, shared_files, *arguments, **changes):
    outlines = area_borders(read_boundaries(sorted((shared_files / "boundaries").glob("*.gz")), step=0))
    more = "data: {borders: borders.csv}\n"
    path = project(folder, *arguments, areas=MANCHESTER, options=", placebo: connected", more=more, **changes)
    pd.DataFrame(list(outlines.km), columns=["one", "other"]).to_csv(folder / "borders.csv", index=False)
    return path


def test_ten_boroughs_of_one_region_have_an_estimate_and_no_p(tmp_path, shared_data, shared_files):
    found = results(project(tmp_path, "overall_absence", "2018-09-01", areas=MANCHESTER), shared_data)
    one = found.details.primary
    wide = of_lait(shared_data, "TotAbs")[list(one.years)].dropna()
    effects = by_hand(wide, neighbours(shared_files), 2019, set(MANCHESTER))
    main = found.main("overall_absence")
    assert main.estimate == pytest.approx(effects[MANCHESTER].mean(), abs=1e-9)
    assert "all lie in one region (North West)" in main.p_value.reason
    assert "no p-value" in series_shown.answer(found).text
    # the series in hand begins a year before April 2008: nothing can be weighted, which is said
    early = results(
        project(tmp_path / "early", "secondary_fixed_exclusions", "2008-04-01", "synthetic", areas=MANCHESTER),
        shared_data,
    )
    refused = early.main("secondary_fixed_exclusions").estimate
    assert "There is 1 year before the start" in refused.reason


def test_ten_boroughs_among_sets_that_border_each_other(tmp_path, shared_data, shared_files):
    path = bordered(tmp_path, shared_files, "overall_absence", "2018-09-01")
    found = results(path, shared_data)
    one = found.details.primary
    wide = of_lait(shared_data, "TotAbs")[list(one.years)].dropna()
    near = neighbours(shared_files)
    effects = by_hand(wide, near, 2019, set(MANCHESTER))
    assert one.overall.estimate == pytest.approx(effects[MANCHESTER].mean(), abs=1e-9)
    n = one.overall.n_disjoint
    assert 9 <= n <= 14  # some 130 areas without them, of which islands and small regions are in no set of ten
    assert one.overall.p_value >= 1 / (n + 1) > 0.05
    assert "an interval takes 40" in one.overall.interval.reason
    assert f"no p-value is below 1/{n + 1}" in series_shown.certainty(found).text
    ranked = [finding for finding in found.findings if isinstance(finding.p_value, float)]
    assert ranked
    assert all(finding.verdict is not Verdict.REASSURING for finding in ranked)


def test_boroughs_judged_by_donors_from_anywhere_are_cautioned(tmp_path, shared_data):
    path = project(
        tmp_path, "secondary_fixed_exclusions", "2012-09-01", "synthetic", areas=MANCHESTER, options=", draws: 99"
    )
    found = results(path, shared_data)
    (least,) = [one for one in found.findings if one.name == "least_p"]
    assert least.verdict is Verdict.CAUTION
    assert "all lie in one region (North West)" in least.sentence


# What is not there.


def test_what_the_folder_lacks_is_told_with_what_it_has(tmp_path, shared_files):
    with pytest.raises(MissingData, match="no file holds fixed_exclusions") as told:
        open_design(str(project(tmp_path, "fixed_exclusions", "2018-09-01")), data=str(shared_files))
    assert "good_level_of_development" in str(told.value)
