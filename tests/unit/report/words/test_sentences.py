"""The headline, word for word, in each of its forms."""

from dataclasses import replace
from typing import Any

from report_fixture import whole

from evalkit.core.project import Participants
from evalkit.core.quantities import Interval, Unavailable
from evalkit.diagnose.project.evaluation import AreasResults
from evalkit.report import (
    front_matter,
    headline,
    headline_explained,
    how_to_read,
    matched_designs,
    sources,
    summary_comparison,
)
from evalkit.report.words.names import forbidden_words


def listed_schools(evaluation: AreasResults, areas: tuple[tuple[int, str], ...] = ((340, "Knowsley"),)) -> AreasResults:
    """Return the evaluation as if its schools were listed by name; in several areas errors are clustered by them."""
    project = replace(evaluation.project, participants=Participants(file="participants.csv"))
    compared = tuple(replace(row, treated=areas) for row in evaluation.design.areas)
    none = Unavailable("The listed schools are part of their area.")
    permuted, by_area = [], []
    for effect in evaluation.effects:
        if effect.inference == "permutation":
            permuted.append(replace(effect, interval=none, p_value=none, p_value_one_sided=none, permutation=None))
        elif effect.cluster_level == "school":
            by_area.append(effect)
    interval = Interval(-0.3, 2.18) if len(areas) > 1 else none
    if len(areas) > 1:
        main = replace(permuted[0], inference="cluster", n_treated_clusters=len(areas), std_error=0.4)
        by_area.append(replace(main, interval=interval, p_value=0.11))
    facts = replace(evaluation.headline, interval=interval, n_areas=none, n_as_large=none, p_value=none)
    return replace(
        evaluation,
        project=project,
        design=replace(evaluation.design, project=project, areas=compared),
        effects=(*permuted, *by_area),
        headline=facts,
    )


def said(evaluation: AreasResults, **changed: Any) -> str:
    return headline(replace(evaluation, headline=replace(evaluation.headline, **changed))).text


def test_the_headline_in_full(evaluation: AreasResults) -> None:
    assert headline(evaluation).text == (
        "Reading progress in Knowsley's 49 primaries rose by 0.94 points more from the 2016 and 2017 average to "
        "2019 than in its 2021-list "
        "neighbours (95% interval 0.02 to 1.86). Of 149 areas analysed the same way, 7 (Knowsley "
        "among them) changed at least "
        "as much in either direction (p = 0.047). Maths, not targeted, gained 0.60 points on the same areas; "
        "reading minus "
        "maths 0.33 (p = 0.200). "
        "Knowsley had already gained 0.33 points on similar areas from 2016 to 2017; continuing that would "
        "leave 0.12. "
        "The design cannot separate "
        "the programme from anything else that changed in Knowsley. Which schools took part is not public."
    )


def test_the_numbers_of_the_headline_are_explained_below_it(evaluation: AreasResults) -> None:
    # 0.33 ± 0.83 is -0.50 to 1.16; 0.12 ± 1.9 is -1.78 to 2.02.
    assert headline_explained(evaluation).sentences == (
        "A progress score compares pupils across England: 0 is the national average for pupils with the same earlier "
        "results, and +1 is about one point more on the test scale.",
        "The earlier movement of Knowsley, 0.33, is from 2016 to 2017, relative to the same neighbours (95% interval "
        "−0.50 to 1.16). The movements of maths and reading minus maths are relative to the same neighbours too.",
        "The 0.12 that would be left, had the earlier movement continued in a straight line, is uncertain itself (95% "
        "interval −1.78 to 2.02).",
    )


def test_what_the_headline_does_not_give_is_not_explained(unavailable: AreasResults) -> None:
    text = headline_explained(unavailable).text
    assert "earlier movement" not in text
    assert "relative to the same neighbours" in text
    no_placebo = replace(unavailable, headline=replace(unavailable.headline, placebo_label="", contrast_label=""))
    assert len(headline_explained(no_placebo).sentences) == 1


def test_an_interval_with_zero_opens_with_what_is_not_known(evaluation: AreasResults) -> None:
    text = said(evaluation, interval=Interval(-0.2, 2.08))
    assert text.startswith(
        "The data do not show whether reading progress in Knowsley's 49 primaries rose by more or "
        "by less from the 2016 and 2017 average to "
        "2019 than in its 2021-list neighbours: the estimate is 0.94 points more (95% interval −0.20 to 2.08)."
    )


def test_an_interval_that_ends_at_zero_contains_it(evaluation: AreasResults) -> None:
    assert said(evaluation, interval=Interval(0.0, 1.88)).startswith("The data do not show whether")


def test_a_negative_estimate_is_said_in_words(evaluation: AreasResults) -> None:
    text = said(evaluation, estimate=-0.3, interval=Interval(-0.5, -0.1), lead=-0.21)
    assert "rose by 0.30 points less from" in text
    assert "(95% interval −0.50 to −0.10)" in text
    assert "had already lost 0.21 points" in text


def test_one_school_one_point_and_a_rank_of_one(evaluation: AreasResults) -> None:
    text = said(evaluation, n_schools=1, estimate=1.0, n_as_large=1, p_value=1 / 149)
    assert "Knowsley's 1 primary rose by 1.00 point more" in text
    assert "1 (Knowsley itself) changed at least as much in either direction (p = 0.007)" in text


def test_an_earlier_trend_of_zero_is_neither_gaining_nor_falling(evaluation: AreasResults) -> None:
    assert "neither gaining nor falling" in said(evaluation, lead=0.0)


def test_named_schools_are_not_called_the_whole_area(evaluation: AreasResults) -> None:
    text = headline(listed_schools(evaluation)).text
    assert "in the 49 primaries in the programme in Knowsley" in text
    assert "not public" not in text
    assert "Knowsley was" not in text


def test_schools_listed_in_one_area_have_no_interval_and_the_reason_stands_once(evaluation: AreasResults) -> None:
    one = listed_schools(evaluation)
    said = headline(one).text
    assert "the estimate is 0.94 points more (no interval can be given). Schools listed by name" in said
    assert said.count("part of their area") == 1
    assert "The listed schools had already gained 0.33 points" in said
    assert said.endswith("anything else that changed in these schools.")
    assert "cannot be ranked" not in how_to_read(one).text


def test_schools_listed_in_several_areas_are_called_by_all_of_them(evaluation: AreasResults) -> None:
    several = listed_schools(evaluation, ((340, "Knowsley"), (341, "Liverpool"), (876, "Halton")))
    said = headline(several).text
    assert "in the 49 primaries in the programme in Knowsley, Liverpool and Halton rose by more or by less" in said
    assert "their areas' 2021-list neighbours" in said
    assert "(95% interval −0.30 to 2.18)" in said
    assert "rests on the 3 areas they lie in (p = 0.110)" in said
    assert "in Knowsley, Liverpool and Halton, not about the whole of these areas" in front_matter(several).text


def test_everything_unavailable_still_reads_as_sentences(unavailable: AreasResults) -> None:
    text = headline(unavailable).text
    assert text.startswith("The data do not show how reading progress in Knowsley's 6 primaries changed")
    assert text.count("ix schools are too few") == 5
    assert "Unavailable(" not in text
    assert ".." not in text


def test_an_estimate_without_interval_is_not_claimed(evaluation: AreasResults) -> None:
    text = said(evaluation, interval=Unavailable("One area only."))
    assert text.startswith("The data do not show whether")
    assert "(no interval can be given: one area only)" in text


def test_the_face_says_synthetic_and_dilution_and_leaves_the_lock_to_the_whole(
    evaluation: AreasResults,
) -> None:
    text = front_matter(evaluation).text
    assert text.startswith("SYNTHETIC DATA")
    assert "area-level intention to treat" in text
    assert text.count("Which schools took part is not public.") == 1
    assert text.count("dilute") == 1
    assert "Every result here comes from an invented England" in text
    assert "What the project file says of the programme (dates, cost, claims, other programmes)" in text
    assert "As the project file says: About 26 of the 49 primaries took part." in sources(whole(evaluation)).text
    assert "Whether the plan was locked before outcomes were read" in text
    assert "not pre-registered" not in text  # the lock may stand: only the whole evaluation knows
    assert "the design was not pre-registered" in front_matter(whole(evaluation)).text


def test_what_is_said_of_participation_comes_from_the_project_file(evaluation: AreasResults) -> None:
    place = evaluation.project.participants
    for reason, words in (
        ("The list was lost.", "The list was lost."),
        ("", "The project names no schools, so the effect is that on all schools of the area."),
    ):
        changed = replace(evaluation.project, participants=replace(place, why_whole_area=reason))
        other = replace(evaluation, project=changed, design=replace(evaluation.design, project=changed))
        for text in (front_matter(other).text, headline(other).text, summary_comparison(other).text):
            assert text.count(words) == 1
            assert "not public" not in text


def test_real_data_carry_no_banner(evaluation: AreasResults) -> None:
    assert "SYNTHETIC" not in front_matter(replace(evaluation.design, data_kind="real")).text


def test_how_to_read_says_what_each_number_rests_on(evaluation: AreasResults) -> None:
    text = how_to_read(evaluation).text
    for words in (
        "spread of changes across 149 areas",
        "exact only if any of these areas had been as likely to be chosen as Knowsley",
        "covers school sampling only; it excludes area shocks",
        "Clustering by local authority is unavailable. With one treated local authority",
        "(April 2021 and May 2025) were drawn up after the programme, which ended in July 2019",
        "SD of pupil progress, conditional on prior attainment; one county",
        "illustrative",
        "every effect that the test does not reject at 5 per cent",
    ):
        assert words in text


def test_regression_to_the_mean_has_a_direction_that_follows_the_data(evaluation: AreasResults) -> None:
    assert "pushes this estimate down" in matched_designs(evaluation).text
    rows = tuple(replace(row, mean_treated=2.0) for row in evaluation.design.balance)
    above = replace(evaluation, design=replace(evaluation.design, balance=rows))
    assert "pushes this estimate up" in matched_designs(above).text


def test_the_watch_on_words_sees_text_and_alt_but_not_quotations() -> None:
    assert forbidden_words("<p>A large Impact</p>") == ["impact"]
    assert forbidden_words('<img alt="no effect">') == ["no effect"]
    assert forbidden_words("<p>insignificant is another word</p><q>led to impact</q>") == []
    assert forbidden_words("<td><q>led to impact</q></td><td>impact</td>") == ["impact"]


def test_the_level_of_the_interval_is_that_of_the_project(evaluation: AreasResults) -> None:
    project = replace(evaluation.project, inference=replace(evaluation.project.inference, level=0.9))
    assert "does not reject at 10 per cent" in how_to_read(replace(evaluation, project=project)).text
