"""One noun of each kind that can be shown, from small invented tables."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from report_fixture import make_evaluation

import evalkit
from evalkit.core.draws import stream
from evalkit.core.quantities import Unavailable
from evalkit.data.areas.borders import AreaBorders
from evalkit.data.areas.boundaries import Boundaries
from evalkit.data.flow import CountedCase, LeftOut
from evalkit.data.identity.schools import SchoolIdentity
from evalkit.data.layouts.gias import SchoolList
from evalkit.data.layouts.gias_groups import TrustMembership
from evalkit.data.layouts.performance_tables import PerformanceTable
from evalkit.data.layouts.published_table import PublishedTable
from evalkit.data.own_tables.long_table import LongTable
from evalkit.data.own_tables.unit_table import UnitTable
from evalkit.data.published.neighbours import NeighbourTable
from evalkit.data.published.school_lists import Links
from evalkit.data.store.school_years import SchoolYears
from evalkit.data.store.store import Store
from evalkit.diagnose.power.report import OutcomePower, PowerOptions, PowerReport
from evalkit.estimate.areas.random_effects import random_effects

PERIODS = range(2014, 2020)


def long_table(n_units: int = 72) -> pd.DataFrame:
    """Schools over six years: a third starts in 2016, a third in 2018, a third never."""
    draw = stream(3, "shown")
    start = np.repeat([2016.0, 2018.0, np.nan], n_units // 3)
    rows = [
        (
            f"school {i:03d}",
            year,
            year - 2014 + i % 7 + draw.normal() + (year >= start[i]) * 0.8,
            start[i],
            i % 5,
            i % 18,
        )
        for i in range(n_units)
        for year in PERIODS
    ]
    return pd.DataFrame(rows, columns=["school", "year", "score", "start", "size", "area"])


def roles(**more: Any) -> evalkit.Roles:
    return evalkit.Roles(unit="school", period="year", outcome="score", cohort="start", **more)


def unit_table(n: int = 120) -> pd.DataFrame:
    """Schools before a programme that thirty joined, with a later score."""
    draw = stream(4, "shown units")
    table = pd.DataFrame({"school": [f"{at:03d}" for at in range(n)], "region": np.resize(["North", "South"], n)})
    table["before"] = draw.normal(100, 3, size=n)
    table["helped"] = (table["before"] + draw.normal(0, 3, size=n)).rank().le(30).astype(int)
    table["later"] = table["before"] + draw.normal(0, 2, size=n) + 0.8 * table["helped"]
    return table


def baseline() -> evalkit.Baseline:
    named = evalkit.BaselineRoles(treated="helped", covariates=("before",), unit="school", labels=("region",))
    return evalkit.Baseline.from_frame(unit_table(), named)


@cache
def staggered_nouns() -> dict[str, Any]:
    table = long_table()
    panel = evalkit.Panel.from_frame(table, roles())
    clustered = evalkit.Panel.from_frame(table, roles(cluster="area"))
    design = evalkit.staggered_design(panel)
    effects = evalkit.group_time_effects(design)
    options = evalkit.RandomisationOptions(over="unit", n_draws=99, seed=7)
    return {
        "panel": panel,
        "cross_sections": evalkit.CrossSections.from_frame(table, roles()),
        "staggered_design": design,
        "group_time_effects": effects,
        "staggered_results": evalkit.staggered_results(effects),
        "overall": evalkit.overall_effect(effects),
        "event_study": evalkit.event_study(effects),
        "leads": evalkit.imputation_leads(design, 2),
        "cross_checks": evalkit.cross_checks(effects),
        "two_way": evalkit.two_way_effect(panel),
        "two_way_event": evalkit.two_way_event_study(panel),
        "violation_bounds": evalkit.violation_bounds(
            [0.1, 0.0, 1.0, 1.2], 0.01 * np.eye(4), event_times=[-3, -2, 0, 1], relative=[1], smoothness=[0.1]
        ),
        "bacon": evalkit.bacon_decomposition(panel),
        "inference": evalkit.two_way_effect(panel).inference,
        "recommendation": evalkit.recommended_inference(evalkit.ClusterCounts(n_treated=3, n_comparison=60)),
        "randomisation": evalkit.randomisation_test(panel, options),
        "wild": evalkit.wild_bootstrap(clustered, evalkit.WildOptions(n_draws=99, seed=7)),
        "conley_taber": evalkit.conley_taber(few_treated(), evalkit.ConleyTaberOptions(n_draws=99)),
    }


def few_treated() -> evalkit.Panel:
    """Two treated areas of eighteen."""
    table = long_table()
    table["start"] = np.where(table["area"] < 2, 2017.0, np.nan)
    return evalkit.Panel.from_frame(table, roles(cluster="area"))


@cache
def matched_nouns() -> dict[str, Any]:
    table, known = unit_table(), baseline()
    later = table.set_index("school")["later"]
    design = evalkit.match(known, evalkit.NearestNeighbour(ratio=2, exact=("region",)))
    balance = evalkit.match_balance(design)
    effect = evalkit.matched_effect(design, later)
    strata = evalkit.match(known, evalkit.Subclassification(n_subclasses=3))
    findings = evalkit.match_findings(design, balance)
    profiles = evalkit.Profiles.from_frame(table, evalkit.ProfileRoles(unit="school", characteristics=("before",)))
    return {
        "baseline": known,
        "matched_design": design,
        "match_balance": balance,
        "matched_effect": effect,
        "after_matching": evalkit.after_matching(design, table.set_index("school")[["before"]], later),
        "matching_estimate": evalkit.abadie_imbens_match(known, later.to_numpy()),
        "sensitivity": evalkit.match_sensitivity(design, later, effect.estimate),
        "findings": findings,
        "finding": findings[0],
        "strata": evalkit.stratum_balance(strata),
        "profiles": profiles,
        "similar": evalkit.similar_units(profiles, evalkit.SimilarOptions(n=5)),
        "schools_pupils": schools_then_pupils(),
    }


def schools_then_pupils() -> Any:
    schools = baseline()
    draw = stream(5, "shown pupils")
    school = np.repeat([f"{at:03d}" for at in range(120)], 12)
    pupils = pd.DataFrame({"pupil": np.arange(len(school)), "school": school, "prior": draw.normal(size=len(school))})
    helped = unit_table().set_index("school")["helped"]
    pupils["helped"] = helped.loc[school].to_numpy()
    known = evalkit.BaselineRoles(treated="helped", covariates=("prior",), unit="pupil", labels=("school",))
    return evalkit.match_schools_then_pupils(
        schools,
        evalkit.Baseline.from_frame(pupils, known),
        "school",
        evalkit.NearestNeighbour(),
        evalkit.NearestNeighbour(),
    )


@cache
def area_nouns() -> dict[str, Any]:
    draw = stream(6, "shown areas")
    areas = pd.DataFrame(
        {"area": np.repeat([f"A{at:02d}" for at in range(24)], 12), "year": np.tile(range(2008, 2020), 24)}
    )
    areas["share"] = 60 + draw.normal(size=24).repeat(12) + np.tile(np.linspace(0, 3, 12), 24)
    areas["share"] += draw.normal(0, 0.3, size=len(areas))
    series = evalkit.AreaSeries.from_frame(areas, evalkit.AreaRoles(unit="area", period="year", outcome="share"))
    design = evalkit.area_design(series, ["A03"], 2016)
    found = evalkit.synthetic_control(design)
    return {
        "area_series": series,
        "area_design": design,
        "synthetic_control": found,
        "placebo_in_space": evalkit.placebo_in_space(found),
        "placebo_in_time": evalkit.placebo_in_time(found),
        "conformal": evalkit.conformal(found),
        "leave_one_out": evalkit.leave_one_donor_out(found),
        "permuted_bounds": evalkit.permuted_bounds(_gaps(), "A03", (2014, 2015), (2016, 2017), outcome="share"),
        "pre_trend_power": evalkit.pre_trend_power([0.2, 0.1, 0.5], 0.04 * np.eye(3), [-3, -2, 0]),
    }


def _gaps() -> pd.DataFrame:
    """Return areas whose gaps drift, one of which gained afterwards."""
    drift = stream(7, "shown gaps").normal(size=(24, 4)).cumsum(axis=1)
    gaps = pd.DataFrame(drift, index=[f"A{at:02d}" for at in range(24)], columns=[2014, 2015, 2016, 2017])
    gaps.loc["A03", [2016, 2017]] += 9.0
    return gaps


@cache
def model_nouns() -> dict[str, Any]:
    draw = stream(7, "shown models")
    school = np.repeat(np.arange(40), 25)
    pupils = pd.DataFrame({"school": school, "helped": (school < 20).astype(int)})
    pupils["score"] = draw.normal(size=40)[school] * 0.4 + draw.normal(size=1000) + 0.2 * pupils["helped"]
    columns = evalkit.PupilColumns(outcome="score", school="school", treated="helped")
    return {
        "two_level_model": evalkit.two_level_model(pupils, columns),
        "standardised": evalkit.hedges_g(0.8, 6.2, 40, 40),
    }


@cache
def other_nouns() -> dict[str, Any]:
    table = unit_table()
    counted_case = (CountedCase("schools in the list", 729), CountedCase("of these, without a number of their own", 12))
    used = LongTable(frame=long_table(), left_out=(LeftOut("no outcome", ("school 001",), 8),), n_rows=440)
    effects = random_effects((0.4, 0.1, 0.6, 0.2), (0.2, 0.1, 0.3, 0.2))
    return {
        "long_table": used,
        "unit_table": UnitTable(baseline(), table[["later"]], len(table)),
        "neighbours": NeighbourTable({340: (341, 344), 341: (340,)}, {340: "Knowsley", 341: "Liverpool"}, {}, 0),
        "school_list": SchoolList(pd.DataFrame(), pd.DataFrame(), "2021-09-01", counted_case),
        "trust_membership": TrustMembership(pd.DataFrame(), pd.DataFrame(), "", counted_case),
        "links": Links({"2": "1"}, counted_case),
        "school_identity": SchoolIdentity(pd.DataFrame(), counted_case, "both"),
        "boundaries": Boundaries({340: (((-3.0, 53.0), (-2.0, 53.0), (-2.0, 54.0), (-3.0, 53.0)),)}, ("Kent (886)",)),
        "area_borders": AreaBorders({(340, 341): 26.4}),
        "area_history": evalkit.follow_areas(date(2018, 1, 1), date(2024, 1, 1)),
        "published_table": PublishedTable(
            name="ks2.csv",
            keys=pd.DataFrame({"year": ["2024"]}),
            values=pd.DataFrame({"pupils": [12.0]}),
            reasons=pd.DataFrame({"pupils": [""]}),
        ),
        "performance_table": PerformanceTable(
            key_stage="KS2",
            summer=2019,
            stage="final",
            schools=pd.DataFrame({"name": ["A"]}, index=["100001"]),
            values=pd.DataFrame({"READPROG": [np.nan]}, index=["100001"]),
            reasons=pd.DataFrame({"READPROG": ["suppressed"]}, index=["100001"]),
        ),
        "store": Store(Path("data/processed"), Path("published"), ()),
        "school_years": SchoolYears(rows=pd.DataFrame(), missing=pd.DataFrame(), files=("a.csv",), cases=counted_case),
        "random_effects": effects,
        "power_report": power_report(),
    }


def power_report() -> PowerReport:
    reason = Unavailable("No pupils are known.")
    project = make_evaluation().project
    found = OutcomePower(
        outcome=project.primary,
        label="Reading progress",
        unit="points",
        n_treated=49,
        n_comparison=300,
        n_comparison_areas=5,
        panel=0.9,
        panel_method="placebo areas",
        pupil_sd=7.9,
        pupil_sd_name="SD of pupils' scaled scores",
        sd_given_prior=6.0,
        two_level=reason,
        two_level_after_loss=reason,
        two_level_plan=reason,
        two_level_note="",
        simulated=reason,
        simulated_sets="",
        simulated_test="area permutation",
        leads="panel",
        why="One area is treated.",
    )
    return PowerReport(
        project=project, data_kind="synthetic", options=PowerOptions(), years=(2016, 2017), outcomes=(found,)
    )
