"""What the report says of listed schools, and of several whole areas, that are placed among sets."""

from dataclasses import replace

import pytest

from evalkit import report
from evalkit.core.project import Participants
from evalkit.core.quantities import Unavailable
from evalkit.diagnose.project.evaluation import AreasResults, Dilution, SetDistribution
from evalkit.estimate.areas.sets import Diluted
from evalkit.estimate.effect import SetsDetail
from evalkit.report.kinds.areas import TABLES
from evalkit.report.words.names import forbidden_words

DETAIL = SetsDetail(
    rule="simple",
    unadjusted=0.94,
    expected=0.01,
    spread=0.5,
    n_areas=147,
    n_treated_areas=1,
    n_sets=20_000,
    monte_carlo_error=0.0016,
    is_whole=False,
)
PLACED = SetDistribution(
    outcome="READPROG", edges=(-2.0, -1.0, 0.0, 1.0, 2.0), shares=(0.1, 0.4, 0.4, 0.1), treated=0.94, n_areas=147,
    n_sets=20_000,
)  # fmt: skip


def among_sets(evaluation: AreasResults, detail: SetsDetail = DETAIL) -> AreasResults:
    """Return the evaluation as if its effects were judged by sets, of listed schools or of whole areas."""
    effects = tuple(
        replace(one, inference="sets", permutation=None, sets=detail) if one.inference == "permutation" else one
        for one in evaluation.effects
    )
    given = {"areas": (340, "Sefton")} if detail.is_whole else {"file": "participants.csv"}
    project = replace(evaluation.project, participants=Participants(**given))
    none = Unavailable("Sets count by shares.")
    headline = replace(evaluation.headline, n_as_large=none, n_areas=float(detail.n_areas))
    design = replace(evaluation.design, project=project)
    return replace(
        evaluation, project=project, design=design, effects=effects, headline=headline, distributions=(), placed=PLACED
    )


@pytest.fixture
def listed(evaluation: AreasResults) -> AreasResults:
    return among_sets(evaluation)


def test_the_headline_says_among_how_many_sets_and_how_rarely(listed: AreasResults) -> None:
    said = report.headline(listed).text
    p = listed.main_effect.p_value if listed.main_effect else None
    assert isinstance(p, float)
    # p counts the list as one area more of 147: the share of the others' sets is (147 p − 1) / 146
    share = f"{100 * (147 * p - 1) / 146:.1f}%"
    assert f"Of 20,000 sets of 49 schools drawn in 146 other areas, {share}, each area counting the same," in said
    assert "no interval" not in said


def test_the_summary_says_what_the_interval_rests_on(listed: AreasResults) -> None:
    first = report.summary_certainty(listed).sentences[0]
    assert first.startswith("The interval allows for what happens to whole areas, and rests on sets drawn in 146 other")
    assert "part of one area" not in first


def test_a_withheld_interval_is_told_with_the_reason_of_the_sets(listed: AreasResults) -> None:
    why = Unavailable("Fewer than 40 areas could hold such a set, so no interval is given.")
    few = tuple(replace(one, interval=why) if one.inference == "sets" else one for one in listed.effects)
    withheld = replace(listed, effects=few, headline=replace(listed.headline, interval=why))
    first = report.summary_certainty(withheld).sentences[0]
    assert first.startswith(f"No interval is given. {why.reason} Without it, p = ")


def test_several_whole_areas_are_placed_among_draws_of_whole_areas(evaluation: AreasResults) -> None:
    whole = among_sets(evaluation, replace(DETAIL, n_treated_areas=2, is_whole=True, n_sets=9_999))
    said = report.headline(whole).text
    assert "Of 9,999 draws of 2 whole areas drawn in 145 other areas" in said
    assert "each area counting the same" not in said
    assert "cannot be given" not in said
    assert "draws of whole areas among 145 other areas" in report.summary_certainty(whole).sentences[0]
    first = TABLES["inference"](whole).to_csv()
    assert "Randomisation over whole areas, two-sided" in first
    assert "randomisation over whole areas" in " ".join(TABLES["effects"](whole).table.notes)


def test_tables_and_figures_name_sets_and_no_permutation(listed: AreasResults) -> None:
    assert "Randomisation over sets, two-sided" in TABLES["inference"](listed).to_csv()
    assert "sets are compared directly" in TABLES["inference"](listed).to_csv()
    notes = " ".join(TABLES["effects"](listed).table.notes)
    assert "randomisation over sets of as many schools" in notes
    assert "permutation" not in notes
    assert "randomisation interval" in report.event_study_plot(listed).caption
    assert "spread of the sets" in " ".join(TABLES["detectable"](listed).table.notes)


def test_the_figure_of_sets_shows_where_the_listed_schools_stand(listed: AreasResults) -> None:
    figure = report.permutation_plot(listed)
    assert "20,000 sets of 49 schools drawn in 146 other areas" in figure.caption
    assert figure.alt.startswith("Histogram")
    assert "The listed schools stand at 0.94." in figure.alt
    assert "from −2.00 to 2.00" in figure.alt
    assert figure.data is not None
    assert len(figure.data.to_csv().strip().splitlines()) == 5


def test_conservative_is_said_with_the_half_length_where_few_areas_can_hold_sets(listed: AreasResults) -> None:
    # With 39 areas the smallest p-values are 1/39 = .026 and 2/39 = .051: 5% tests have size 2.6%, under 3%.
    few = tuple(replace(one, sets=replace(DETAIL, n_areas=39)) if one.sets else one for one in listed.effects)
    notes = " ".join(TABLES["inference"](replace(listed, effects=few)).table.notes)
    assert "This is conservative: with 39 results to rank" in notes
    assert "half-length" in notes
    assert "conservative" not in " ".join(TABLES["inference"](listed).table.notes)


def test_dilution_stands_by_what_the_others_may_have_felt(listed: AreasResults) -> None:
    # T_W = 0.9 over f + φ(1 − f), f = .5: 0.9/.5 = 1.80, 0.9/.625 = 1.44
    none = Unavailable("No interval.")
    parts = tuple(Diluted(spillover=s, estimate=0.9 / (0.5 + s * 0.5), interval=none) for s in (0.0, 0.25))
    told = replace(listed, dilution=(Dilution(outcome="READPROG", share=0.5, p_value=0.07, parts=parts),))
    lines = TABLES["dilution"](told).to_csv().splitlines()
    assert "1.8" in lines[1]
    assert "1.44" in lines[2]
    assert "25" in lines[2]
    assert "hold 50% of the pupils" in " ".join(TABLES["dilution"](told).table.notes)
    assert "part of their areas" in TABLES["dilution"](listed).to_csv()


def test_no_word_is_stronger_than_the_design(listed: AreasResults) -> None:
    said = " ".join(part.text for part in (report.headline(listed), report.summary_certainty(listed),
                                           report.how_to_read(listed)))  # fmt: skip
    assert not forbidden_words(said)
