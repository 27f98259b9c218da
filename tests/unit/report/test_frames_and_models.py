"""Results as frames and figures, by name, and beside the models of other packages."""

import importlib
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from report_fixture import make_evaluation
from shown_nouns import area_nouns, matched_nouns, model_nouns, other_nouns, staggered_nouns, unit_table

import evalkit
from evalkit.core.errors import InputError
from evalkit.core.formats import MINUS
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.shown import Several, ShownModel
from evalkit.report.border.disclosure import release
from evalkit.report.border.parts import Figure
from evalkit.report.border.table import Column, Table
from evalkit.report.shown import FIGURES, MAIN_TABLE, MODELS, VIEWS, tables_of

NOUNS = (staggered_nouns, matched_nouns, area_nouns, model_nouns, other_nouns)


def every_noun():
    made = {name: noun for nouns in NOUNS for name, noun in nouns().items()}
    evaluation = make_evaluation()
    return made | {"evaluation": evaluation, "design_stage": evaluation.design}


# Frames.


def test_a_frame_holds_numbers_in_full_and_says_why_one_is_missing():
    columns = (
        Column("arm", "Arm"),
        Column("effect", "Effect", "estimate"),
        Column("interval", "95% interval", "interval"),
        Column("n", "Pupils", "count"),
    )
    none = Unavailable("One school is treated.")
    rows = (("all", 1 / 3, Interval(0.1, 0.5), 40), (f"{MINUS}2", 0.25, none, none))
    frame = release(Table(caption="Effects", columns=columns, rows=rows, notes=("Points.",)), 10).to_frame()
    assert list(frame.columns) == ["arm", "effect", "interval_lower", "interval_upper", "n", "reason"]
    assert frame["effect"].tolist() == [1 / 3, 0.25]
    assert (frame.loc[0, "interval_lower"], frame.loc[0, "interval_upper"]) == (0.1, 0.5)
    assert frame[["interval_lower", "interval_upper", "n"]].isna().loc[1].all()
    assert frame["reason"].tolist() == ["", "95% interval, Pupils: One school is treated."]
    assert frame.loc[1, "arm"] == "-2"
    assert frame["n"].dtype == "Int64"
    assert frame.attrs["caption"] == "Effects"
    assert frame.attrs["notes"] == ["Points."]
    assert frame.attrs["headers"]["n"] == "Pupils"


def test_a_table_with_a_reason_of_its_own_keeps_it():
    table = Table(caption="Lost", columns=(Column("reason", "Reason"),), rows=(("closed",),))
    frame = release(table, 10).to_frame()
    assert frame["reason"].tolist() == ["closed"]
    assert frame["reason_missing"].tolist() == [""]


def test_every_table_of_every_noun_is_a_frame_in_which_what_is_missing_has_a_reason():
    seen = 0
    for name, noun in every_noun().items():
        for table in tables_of(noun):
            frame = noun.to_frame(table)
            lacks = frame.drop(columns="reason").isna().any(axis=1)
            assert (frame.loc[lacks, "reason"].str.len() > 5).all(), (name, table)
            assert (frame.loc[~lacks, "reason"] == "").all(), (name, table)
            seen += 1
    assert seen > 40


def test_the_main_table_is_the_first_shown_or_the_one_named_for_the_noun():
    results = staggered_nouns()["staggered_results"]
    pd.testing.assert_frame_equal(results.to_frame(), results.to_frame("averages"))
    assert results.to_frame().loc[0, "effect"] == results.simple.estimate
    study = results.to_frame("by_event_time")
    assert study["effect"].tolist()[:-1] == [part.estimate for part in results.event_study.parts]
    balance = matched_nouns()["match_balance"]
    pd.testing.assert_frame_equal(balance.to_frame(), balance.to_frame("balance"))
    assert list(tables_of(balance)) == ["units", "means", "balance"]
    assert balance.to_frame()["smd_after"].tolist() == [row.after.smd for row in balance.rows]
    assert set(MAIN_TABLE) <= set(VIEWS)


def test_a_table_or_figure_that_is_none_is_refused_with_those_there_are():
    results = staggered_nouns()["staggered_results"]
    with pytest.raises(InputError, match=r"Did you mean 'by_event_time'.* It has: averages, by_event_time"):
        results.to_frame("by_event_tme")
    with pytest.raises(InputError, match="A PlaceboInTime has no table"):
        area_nouns()["placebo_in_time"].to_frame()
    with pytest.raises(InputError, match="A Recommendation has no figure"):
        staggered_nouns()["recommendation"].plot()
    with pytest.raises(InputError, match="no figure 'mapp'"):
        make_evaluation().design.plot("mapp")
    with pytest.raises(InputError, match="nothing here"):
        Several(()).to_frame()


def test_a_frame_withholds_what_a_report_withholds():
    """Four treated people: their number, and with it what they are worth, is missing with the reason."""
    table = unit_table()
    table["helped"] = (table.index < 4).astype(int)
    named = evalkit.BaselineRoles(treated="helped", covariates=("before",), unit="school")
    design = evalkit.match(evalkit.Baseline.from_frame(table, named), evalkit.NearestNeighbour())
    frame = design.to_frame()
    assert frame.loc[0, ["n_before", "n_after", "effective_n"]].isna().all()
    assert "Suppressed" in frame.loc[0, "reason"]
    assert evalkit.match_balance(design).to_frame("units").loc[0, ["n_before", "n_after"]].isna().all()


# Figures.


def test_every_named_figure_is_drawn_with_words_and_its_numbers():
    nouns = {type(noun): noun for noun in every_noun().values()}
    assert set(FIGURES) <= set(nouns)
    for kind, figures in FIGURES.items():
        for name, place in figures.items():
            module, verb = place.split(":")
            assert callable(getattr(importlib.import_module(f"evalkit.report.figures.{module}"), verb)), place
            if name == "map":
                continue  # the invented project has no boundaries
            drawn = nouns[kind].plot(name)
            assert isinstance(drawn, Figure), place
            assert drawn.alt
            assert len(drawn.data.to_frame()), place
        assert nouns[kind].plot().caption == nouns[kind].plot(next(iter(figures))).caption


def test_a_figure_without_data_says_that_there_is_nothing_to_draw():
    with pytest.raises(InputError, match="nothing to draw"):
        make_evaluation().design.plot("map")


# Beside the models of other packages: the plug-in format of maketables.


def models():
    return {name: noun for name, noun in every_noun().items() if isinstance(noun, ShownModel)}


def test_what_has_coefficients_says_so_and_nothing_else_does():
    assert {type(noun) for noun in models().values()} == set(MODELS)
    for name, noun in every_noun().items():
        assert hasattr(noun, "__maketables_coef_table__") == isinstance(noun, ShownModel), name


def test_coefficients_have_the_columns_of_the_format_and_missing_ones_a_reason():
    for name, noun in models().items():
        table = noun.__maketables_coef_table__
        assert list(table.columns) == ["b", "se", "t", "p", "ci95l", "ci95u"], name
        assert table.index.name == "Coefficient"
        assert table.index.is_unique, name
        assert set(noun.__maketables_var_labels__) == set(table.index)
        assert (table.isna().any(axis=None)) == ("Not given" in noun.__maketables_default_stat_keys__), name
        assert noun.__maketables_stat__("se_type"), name
        assert noun.__maketables_stat__("r2") is None
        assert all(noun.__maketables_stat__(key) for key in noun.__maketables_default_stat_keys__), name
        assert isinstance(noun.__maketables_depvar__, str)


def test_coefficients_are_those_of_the_noun():
    results = staggered_nouns()["staggered_results"]
    table = results.__maketables_coef_table__
    first = table.loc["effect"]
    assert (first["b"], first["se"], first["p"]) == (
        results.simple.estimate,
        results.simple.std_error,
        results.simple.p_value,
    )
    assert first["t"] == results.simple.estimate / results.simple.std_error
    assert (first["ci95l"], first["ci95u"]) == (results.simple.interval.lower, results.simple.interval.upper)
    times = [f"event_time {part.label}" for part in results.event_study.parts]
    assert list(table.index[1:]) == times
    assert results.__maketables_stat__("Units") == results.n_units
    assert results.__maketables_var_labels__["event_time -2"] == "2 periods before the start"


def test_columns_of_the_interval_are_named_by_its_level():
    effects = staggered_nouns()["group_time_effects"]
    at_ninety = evalkit.staggered_results(effects, evalkit.Uncertainty(level=0.9))
    assert list(at_ninety.__maketables_coef_table__.columns[-2:]) == ["ci90l", "ci90u"]


def test_how_many_were_matched_is_not_told_where_few_could_be_worked_out():
    """With the counts of the table of balance the number used would tell how few found no partner."""
    assert matched_nouns()["matched_effect"].__maketables_stat__("N") is None
    table = unit_table()
    table["helped"] = (table.index < 40).astype(int)
    named = evalkit.BaselineRoles(treated="helped", covariates=("before",), unit="school")
    design = evalkit.match(evalkit.Baseline.from_frame(table, named), evalkit.NearestNeighbour())
    effect = evalkit.matched_effect(design, table.set_index("school")["later"])
    assert effect.__maketables_stat__("N") is None
    assert effect.__maketables_coef_table__.loc["effect", "b"] == effect.estimate.value


def test_effects_on_few_people_are_withheld_here_too():
    """Cross-sections with five people a cohort and period: no effect may be told, and so no number of people."""
    draw = np.random.default_rng(3)
    rows = [
        (f"a{area}", 2014 + year, 2016.0 if area < 3 else np.nan, draw.normal())
        for area in range(30)
        for year in range(4)
        for _ in range(2)
    ]
    frame = pd.DataFrame(rows, columns=["area", "year", "start", "score"])
    columns = evalkit.Roles(unit="area", period="year", outcome="score", cohort="start")
    pupils = evalkit.CrossSections.from_frame(frame, columns)
    results = evalkit.staggered_results(evalkit.group_time_effects(evalkit.staggered_design(pupils)))
    assert any(cell.is_of_few for cell in results.group_time)
    assert results.__maketables_coef_table__["b"].isna().all()
    assert "Withheld" in results.__maketables_stat__("Not given")
    assert not {"N", "Units"} & set(results.__maketables_default_stat_keys__)
    assert results.to_frame()["effect"].isna().all()


@pytest.mark.skipif(find_spec("maketables") is None, reason="maketables is not installed: it is not needed")
def test_maketables_sets_results_side_by_side():
    from maketables import ETable

    nouns = (staggered_nouns()["staggered_results"], staggered_nouns()["two_way"], matched_nouns()["matched_effect"])
    made = ETable(list(nouns))
    for kind in ("html", "tex", "typst"):
        page = str(made.make(type=kind))
        assert "Effect of the programme" in page
        assert all(f"{noun.__maketables_coef_table__.loc['effect', 'b']:.3f}" in page for noun in nouns)
    assert made.make(type="docx").tables
