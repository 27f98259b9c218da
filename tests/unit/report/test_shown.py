"""Nouns show themselves as the tables of the report, released, and say in a line what they are."""

import re
import subprocess
import sys
from typing import get_args, get_type_hints

import numpy as np
import pandas as pd
import pytest
from report_fixture import make_evaluation
from shown_nouns import (
    area_nouns,
    baseline,
    long_table,
    matched_nouns,
    model_nouns,
    other_nouns,
    roles,
    staggered_nouns,
    unit_table,
)

import evalkit
from evalkit.core.errors import EvalkitError
from evalkit.core.quantities import Unavailable
from evalkit.core.shown import Several, Shown
from evalkit.core.viewer import Viewer, set_viewer
from evalkit.diagnose.finding import Finding
from evalkit.report import shown
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.shown import VIEWS, VIEWS_OF_SEVERAL, parts_of, view

NOUNS = (staggered_nouns, matched_nouns, area_nouns, model_nouns, other_nouns)
NUMBERS = (int, float, np.ndarray, Unavailable)
"""What a verb may return that is no noun: IPython shows it as it is."""


def every_noun():
    made = {name: noun for nouns in NOUNS for name, noun in nouns().items()}
    evaluation = make_evaluation()
    return made | {"evaluation": evaluation, "design_stage": evaluation.design}


def words(html: str) -> str:
    plain = re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", html, flags=re.S))
    return re.sub(r"\s+", " ", plain)


def tables(noun) -> list[ReleasedTable]:
    return [part for part in parts_of(noun) if isinstance(part, ReleasedTable)]


def test_the_tests_have_one_of_every_noun_with_a_view():
    assert {kind.__name__ for kind in VIEWS} <= {type(noun).__name__ for noun in every_noun().values()}


def test_every_noun_shows_itself_with_words_and_never_nan():
    for name, noun in every_noun().items():
        html = noun._repr_html_()
        assert html is not None, name
        assert "evalkit-shown" in html, name
        assert len(words(html)) > 30, name
        assert "nan" not in words(html).lower().split(), name
        assert "array(" not in html, name


def test_every_noun_says_what_it_is_in_a_few_lines_without_data():
    for name, noun in every_noun().items():
        said = repr(noun)
        most = len(noun) if isinstance(noun, Several) else 1
        assert said.count("\n") < max(most, 1), name
        assert "array" not in said, name
        assert not re.search(r"\bn_", said), name
        if not isinstance(noun, Several | Finding):
            assert len(said) <= 300, (name, len(said))
            assert said.startswith(type(noun).__name__), name


def returned(verb) -> set[type]:
    """Return the classes of this kit that a verb returns, through unions and tuples."""

    def leaves(hint):
        inner = get_args(hint)
        return [leaf for part in inner for leaf in leaves(part)] if inner else [hint]

    found = leaves(get_type_hints(verb)["return"])
    return {kind for kind in found if isinstance(kind, type) and kind.__module__.startswith("evalkit.")}


def test_what_any_public_verb_returns_has_a_view():
    verbs = [getattr(evalkit, name) for name in evalkit.__all__ if name[0].islower() and not name.startswith("_")]
    assert len(verbs) > 50
    for verb in verbs:
        for kind in returned(verb) - set(NUMBERS):
            assert kind in VIEWS or kind in VIEWS_OF_SEVERAL, (verb.__name__, kind.__name__)
            assert kind not in VIEWS or issubclass(kind, Shown), kind.__name__


def test_every_noun_with_a_view_asks_for_it():
    assert [kind.__name__ for kind in VIEWS if not issubclass(kind, Shown)] == []


def test_numbers_are_those_of_the_noun():
    results = staggered_nouns()["staggered_results"]
    first = tables(results)[0].table
    assert first.rows[0][1:5] == (
        results.simple.estimate,
        results.simple.std_error,
        results.simple.interval,
        results.simple.p_value,
    )
    study = tables(results)[1].table
    assert study.column("effect") == (
        *(part.estimate for part in results.event_study.parts),
        results.event_study.overall.estimate,
    )
    found = area_nouns()["synthetic_control"]
    gaps = tables(found)[0].table
    assert gaps.column("gap") == tuple(row.gap for row in found.gaps)


def test_tables_say_by_what_inference_each_row_is():
    """Four areas of eleven treated: rows by CR2 with their degrees of freedom, and Bonferroni's band."""
    random = np.random.default_rng(2)
    rows = [
        (f"s{i}", f"a{i // 3}", t, 2013.0 if i < 12 else np.nan, random.normal())
        for i in range(33)
        for t in range(2010, 2016)
    ]
    table = pd.DataFrame(rows, columns=["unit", "area", "year", "start", "y"])
    columns = evalkit.Roles(unit="unit", period="year", outcome="y", cohort="start", cluster="area")
    panel = evalkit.Panel.from_frame(table, columns)
    results = evalkit.staggered_results(evalkit.group_time_effects(evalkit.staggered_design(panel)))
    overall, study, *_ = (one.table for one in tables(results))
    assert overall.column("inference")[0] == f"CR2, {results.simple.df:.1f} degrees of freedom"
    assert all(said.startswith("CR2") for said in study.column("inference"))
    assert any("The band is Bonferroni's" in note for note in study.notes)
    plain = [one.table for one in tables(staggered_nouns()["staggered_results"])]
    is_plain = all(row.method == "cluster-robust" for row in staggered_nouns()["staggered_results"].group_time)
    assert is_plain != any(column.key == "inference" for one in plain for column in one.columns)


def test_effects_of_any_size_are_shown_with_three_digits_of_their_error():
    table = long_table()
    table["score"] /= 1000  # a share, say: effects of a thousandth
    effects = evalkit.group_time_effects(evalkit.staggered_design(evalkit.Panel.from_frame(table, roles())))
    results = evalkit.staggered_results(effects)
    assert f"{results.simple.std_error:.6f}" in words(
        results._repr_html_()
    )  # 0.000255 has three digits at six decimals


def small_panel(n_treated: int) -> evalkit.Panel:
    """Pupils over two years, so few of them treated."""
    rows = [(f"p{i}", t, float(i + t), 2 if i < n_treated else np.nan) for i in range(20) for t in (1, 2)]
    return evalkit.Panel.from_frame(
        pd.DataFrame(rows, columns=["school", "year", "score", "start"]),
        evalkit.Roles(unit="school", period="year", outcome="score", cohort="start"),
    )


def test_small_counts_and_what_would_tell_them_are_withheld():
    html = words(small_panel(3)._repr_html_())  # 3 of 20: the 17 others would tell them
    assert "Suppressed" in html
    assert "counts below 10" in html
    assert not re.search(r"\b(3|17)\b", html)
    design = words(evalkit.staggered_design(small_panel(3))._repr_html_())
    assert not re.search(r"\b(3|17)\b", design)


def test_counts_from_the_threshold_on_are_shown_without_a_note():
    html = words(small_panel(10)._repr_html_())  # 10 and 10
    assert re.search(r"Treated from 2 10 20", html)
    assert "counts below" not in html


def test_no_row_and_no_id_of_a_unit_is_shown():
    for noun in (small_panel(8), evalkit.staggered_design(small_panel(8)), baseline()):
        said = words(noun._repr_html_()) + repr(noun)
        assert "p3" not in said
        assert "017" not in said


def test_a_small_matched_arm_is_withheld_with_its_worth():
    table = unit_table()
    table["helped"] = (table.index < 4).astype(int)
    known = evalkit.BaselineRoles(treated="helped", covariates=("before",), unit="school")
    design = evalkit.match(evalkit.Baseline.from_frame(table, known), evalkit.NearestNeighbour())
    (released,) = tables(design)
    assert isinstance(released.table.rows[0][1], Unavailable)
    assert isinstance(released.table.rows[0][4], Unavailable)


def test_findings_show_themselves_together():
    findings = matched_nouns()["findings"]
    assert isinstance(findings, Several)
    assert findings == tuple(findings)
    (table,) = tables(findings)
    assert len(table.table.rows) == len(findings)
    assert Several(()).__repr__() == "()"
    assert Several(())._repr_html_() is None


def test_a_noun_without_a_view_leaves_the_notebook_to_its_text():
    class Unknown(Shown):
        __slots__ = ()

    assert Unknown()._repr_html_() is None
    assert view(object()) is None


def test_without_a_viewer_a_noun_is_text():
    noun = staggered_nouns()["panel"]
    set_viewer(None)
    try:
        assert noun._repr_html_() is None
        with pytest.raises(EvalkitError, match="import evalkit"):
            noun.to_frame()
    finally:
        set_viewer(Viewer(html=shown.view, frame=shown.frame, figure=shown.figure, model=shown.model))
    assert noun._repr_html_() is not None


def test_the_report_is_loaded_when_a_noun_is_first_shown_and_not_before():
    code = (
        "import sys, evalkit\n"
        "assert not {'pandas', 'numpy', 'evalkit.report'} & set(sys.modules)\n"
        "from evalkit.design.clusters import recommended_inference, ClusterCounts\n"
        "noun = recommended_inference(ClusterCounts(n_treated=3, n_comparison=60))\n"
        "repr(noun)\n"
        "assert 'evalkit.report' not in sys.modules\n"
        "assert 'Recommended inference' in noun._repr_html_()\n"
        "assert 'evalkit.report.shown' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@pytest.mark.parametrize("colour", ["var(--jp-ui-font-color1, inherit)", "currentColor"])
def test_colours_are_those_of_the_notebook_light_or_dark(colour):
    html = staggered_nouns()["panel"]._repr_html_()
    assert colour in html
    assert not re.search(r"color:\s*(#|black|white)", html)


def test_nouns_with_errors_say_what_these_take_as_independent():
    made = every_noun()
    units = "This takes units of one area to share nothing"
    for name in ("staggered_results", "cross_checks", "two_way", "two_way_event", "inference", "randomisation"):
        assert units in words(made[name]._repr_html_()), name
    for name in ("matched_effect", "matching_estimate"):
        assert units in words(made[name]._repr_html_()), name
    for name in ("wild", "conley_taber"):
        assert "This takes clusters to share nothing" in words(made[name]._repr_html_()), name
    models = [one for one in made.values() if type(one).__name__ == "TwoLevelModel"]
    assert models
    assert all("This takes schools of one area to share nothing" in words(one._repr_html_()) for one in models)


def test_matched_panels_do_not_take_pairs_for_areas():
    later = unit_table().melt(id_vars=["school", "helped"], value_vars=["before", "later"])
    later["year"] = later["variable"].map({"before": 2016, "later": 2019})
    later["start"] = later["helped"].map({1: 2018.0, 0: np.nan})
    columns = evalkit.Roles(unit="school", period="year", outcome="value", cohort="start")
    panel = evalkit.matched_panel(
        evalkit.Panel.from_frame(later, columns), evalkit.match(baseline(), evalkit.NearestNeighbour())
    )
    results = evalkit.staggered_results(evalkit.group_time_effects(evalkit.staggered_design(panel)))
    assert results.assumes.startswith("This takes matched sets of one area to share nothing")
