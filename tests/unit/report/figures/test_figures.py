"""Figures in one voice: one size, colours everybody can tell apart, honest axes, words with numbers, the same bytes."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from colour_vision import VISION, contrast, distance
from matplotlib.axes import Axes
from PIL import Image
from report_fixture import make_distribution, make_evaluation, make_unavailable

from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.areas.boundaries import Boundaries
from evalkit.data.flow import Flow, FlowRow
from evalkit.diagnose.project.evaluation import AreasResults
from evalkit.estimate.areas.outcome_effects import YearBand
from evalkit.report.border.parts import Figure
from evalkit.report.figures import style
from evalkit.report.figures.area_map import area_map
from evalkit.report.figures.choices import choices_of, specification_curve
from evalkit.report.figures.design import participant_flow
from evalkit.report.figures.main_effect import permutation_plot
from evalkit.report.figures.years import event_study_plot, trajectories_plot
from evalkit.report.kinds.areas import FIGURES
from evalkit.report.tables.checklist import checklist

# Colours that one figure sets against each other.
TOGETHER = (
    tuple(dict.fromkeys(style.ARM_COLOURS.values())),
    (style.VERMILION, style.BLUE, style.GREY),
    (style.VERMILION, style.BLACK, style.QUIET),
)
MARKS = (style.VERMILION, style.BLUE, style.BLACK, style.GREY, style.QUIET)
DRAWN = (event_study_plot, trajectories_plot, permutation_plot, participant_flow, specification_curve, area_map)
FILLS = (style.PALE, style.SHADE, "#FFFFFF")


def square(west: float, south: float) -> tuple[tuple[float, float], ...]:
    return ((west, south), (west + 1, south), (west + 1, south + 1), (west, south + 1), (west, south))


def whole() -> AreasResults:
    """Return the invented evaluation with bands and boundaries."""
    bands = tuple(
        YearBand(outcome="READPROG", year=year, band=Interval(estimate - half, estimate + half))
        for year, estimate, half in ((2016, -0.165, 0.6), (2017, 0.165, 0.6), (2018, 0.4, 0.96), (2019, 0.94, 1.104))
    )
    made = make_evaluation()
    outlines = Boundaries(
        {340: (square(-3, 53),), 341: (square(-4, 53),), 342: (square(-2, 52),), 301: (square(0, 51),)}
    )
    return replace(made, bands=bands, design=replace(made.design, boundaries=outlines))


@pytest.fixture(scope="module")
def figures() -> dict[str, Figure | None]:
    """Return every figure of a report."""
    return {name: draw(whole()) for name, draw in FIGURES.items()}


@pytest.fixture
def axes(monkeypatch: pytest.MonkeyPatch) -> list[Axes]:
    """Return the axes of whatever is drawn afterwards, as they were when it was finished."""
    seen: list[Axes] = []

    def kept(figure: object, data_kind: style.DataKind) -> tuple[bytes, bytes]:
        seen.extend(figure.axes)  # type: ignore[attr-defined]
        return style_drawn(figure, data_kind)  # type: ignore[arg-type]

    style_drawn = style.drawn
    for module in ("years", "main_effect", "choices", "area_map", "design"):
        monkeypatch.setattr(f"evalkit.report.figures.{module}.drawn", kept)
    return seen


@pytest.mark.parametrize("colours", TOGETHER)
@pytest.mark.parametrize("vision", VISION)
def test_colours_set_against_each_other_are_told_apart_with_any_colour_vision(
    colours: tuple[str, ...], vision: str
) -> None:
    near = {pair: distance(*pair, vision) for pair in itertools.combinations(colours, 2)}
    assert {pair: found for pair, found in near.items() if found < 20} == {}


def test_a_green_beside_the_grey_would_be_refused() -> None:
    assert distance("#007A5A", style.GREY, "usual") > 35
    assert distance("#007A5A", style.GREY, "deuteranopia") < 12


def test_marks_stand_out_and_words_can_be_read() -> None:
    assert all(contrast(mark) >= 3 for mark in MARKS)
    assert all(contrast(mark, style.SHADE) >= 3 for mark in MARKS)
    assert all(contrast(style.ink(mark)) >= 4.5 for mark in MARKS if mark != style.QUIET)


def test_figures_have_no_other_colours(figures: dict[str, Figure | None]) -> None:
    known = {colour.lower() for colour in (*MARKS, *FILLS, *map(style.ink, MARKS), style.WARNING, "#000000")}
    for name, figure in figures.items():
        assert figure is not None
        assert set(re.findall(rb"#[0-9a-f]{6}\b", figure.svg)) <= {colour.encode() for colour in known}, name


def test_one_width_and_one_resolution(figures: dict[str, Figure | None]) -> None:
    for name, figure in figures.items():
        assert figure is not None
        image = Image.open(io.BytesIO(figure.png))
        assert image.width == round(style.WIDTH * 160), name
        assert 1.5 * 160 <= image.height <= 9 * 160, name
        assert f'width="{style.WIDTH * 72:g}pt"'.encode() in figure.svg


@pytest.mark.parametrize("name", list(FIGURES))
def test_a_picture_of_synthetic_data_says_so_in_a_strip_of_its_own(
    name: str, figures: dict[str, Figure | None]
) -> None:
    evaluation = whole()
    real = FIGURES[name](replace(evaluation, design=replace(evaluation.design, data_kind="real")))
    made = figures[name]
    assert made is not None
    assert real is not None
    words = b"<!-- Synthetic data -->"  # letters are drawn as outlines, what they say stands beside them
    assert (words in made.svg, words in real.svg) == (True, False)
    heights = [Image.open(io.BytesIO(figure.png)).height for figure in (made, real)]
    assert heights[0] - heights[1] == pytest.approx(0.22 * 160, abs=1)


def test_no_type_is_small(axes: list[Axes]) -> None:
    for draw in DRAWN:
        draw(whole())
    texts = [text for ax in axes for text in ax.texts if text.get_text()]
    labels = [label for ax in axes for label in (*ax.get_xticklabels(), *ax.get_yticklabels())]
    assert len(texts) > 40
    assert min(text.get_fontsize() for text in (*texts, *labels)) >= style.SMALL


def test_nothing_is_written_beyond_the_edge(axes: list[Axes]) -> None:
    for draw in DRAWN:
        draw(whole())
    for ax in axes:
        edge = ax.figure.bbox
        for text in (text for text in (*ax.texts, ax.title) if text.get_text()):
            box = text.get_window_extent()
            assert (box.x0 >= -1, box.x1 <= edge.x1 + 1, box.y0 >= -1, box.y1 <= edge.y1 + 1) == (True,) * 4, text


def test_the_same_bytes_twice(figures: dict[str, Figure | None]) -> None:
    for name, draw in FIGURES.items():
        first, again = figures[name], draw(whole())
        assert first is not None
        assert again is not None
        assert (first.png, first.svg) == (again.png, again.svg), name


def test_a_figure_bears_the_name_of_its_files(figures: dict[str, Figure | None]) -> None:
    assert {name: figure.name for name, figure in figures.items() if figure} == {name: name for name in figures}


def test_words_and_numbers_stand_for_every_figure(figures: dict[str, Figure | None]) -> None:
    for name, figure in figures.items():
        assert figure is not None
        assert len(figure.alt) > 60, name
        assert re.search(r"\d", figure.alt), name
        assert figure.data.table.rows, name
        assert "nan" not in figure.alt.lower().split()


@pytest.mark.parametrize("draw", [draw for name, draw in FIGURES.items() if name != "map"])
def test_without_any_estimate_a_figure_says_so(draw: Callable[[AreasResults], Figure | None]) -> None:
    figure = draw(make_unavailable())
    assert figure is not None
    assert figure.png.startswith(b"\x89PNG")
    assert "nan" not in figure.alt.lower().split()


def test_the_event_study_has_true_years_zero_and_both_lines(axes: list[Axes]) -> None:
    figure = event_study_plot(whole())
    [ax] = axes
    assert [label.get_text() for label in ax.get_xticklabels()] == ["2016", "2017", "2018\n(part of the year)", "2019"]
    gaps = [later - earlier for earlier, later in itertools.pairwise(ax.get_xticks())]
    assert gaps == pytest.approx([1, 1, 1], abs=0.01)  # years lie a year apart, whatever their number
    low, high = ax.get_ylim()
    assert low < 0 < high
    said = {text.get_text() for text in ax.texts}
    assert {"programme,\nFeb 2018 – Jul 2019", "all years\ntogether", "this year\nalone", "0.94", "−0.17"} <= said
    assert "2019: 0.94 (interval 0.02 to 1.86, band −0.16 to 2.04)" in figure.alt
    assert "holds in all years together" in figure.caption
    assert figure.data.table.rows[3][3] == Interval(0.94 - 1.104, 0.94 + 1.104)


def test_without_a_band_only_the_years_own_intervals_are_drawn_and_named(axes: list[Axes]) -> None:
    figure = event_study_plot(make_evaluation())
    said = {text.get_text() for text in axes[0].texts}
    assert "this year\nalone" in said
    assert "all years\ntogether" not in said
    assert "together" not in figure.caption
    assert all(isinstance(row[3], Unavailable) for row in figure.data.table.rows)


def test_the_programme_is_shaded_from_its_first_day_to_its_last(axes: list[Axes]) -> None:
    trajectories_plot(whole())
    [span] = axes[0].patches
    # 1 February is day 31 of 2018 counted from nought, 31 July day 211 of 2019.
    left, right = 2018 + 31 / 365.25, 2019 + 211 / 365.25
    assert (span.get_x(), span.get_x() + span.get_width()) == pytest.approx((left, right))


def test_the_permutation_marks_and_counts(axes: list[Axes]) -> None:
    figure = permutation_plot(whole())
    assert axes[0].get_title(loc="left") == "dark: 6 other areas at least as far from zero, on either side"
    assert "Knowsley stands at 0.94; 7 areas, Knowsley among them" in figure.alt
    [mark] = [line for line in axes[0].lines if line.get_marker() == "o"]
    assert mark.get_xdata() == pytest.approx([0.94])
    dots = sum(len(found.get_offsets()) for found in axes[0].collections)
    assert dots == len(make_distribution().effects)


def test_the_flow_adds_up_and_puts_reasons_of_years_together(axes: list[Axes]) -> None:
    rows = (
        FlowRow("READPROG", "treated", "listed", "", 51),
        FlowRow("READPROG", "treated", "excluded", "2016: not published (code lost in source)", 1),
        FlowRow("READPROG", "treated", "excluded", "2019: suppressed (too few pupils)", 2),
        FlowRow("READPROG", "treated", "excluded", "2018: no row in this year's table", 4),
        FlowRow("READPROG", "treated", "excluded", "not mainstream state-funded (special school)", 1),
        FlowRow("READPROG", "treated", "excluded", "not mainstream state-funded (college)", 2),
        FlowRow("READPROG", "treated", "analysed", "", 41),
    )
    figure = participant_flow(replace(whole(), flow=Flow(rows)))
    # 51 - (4 + 3 + 3) = 41, the three of a year and the three of a kind each put together
    assert [row[1:] for row in figure.data.table.rows] == [
        ("listed", "–", 51),
        ("left out", "missing from a year's table", 4),
        ("left out", "not mainstream state-funded", 3),
        ("left out", "without a published result in every year", 3),
        ("analysed", "–", 41),
    ]
    assert "Knowsley: 51 schools listed, 10 left out" in figure.alt
    said = [text.get_text() for text in axes[0].texts]
    assert {"51", "41", "10 left out:", "Knowsley"} <= set(said)


def test_an_arm_that_lost_nobody_has_no_box_of_reasons(axes: list[Axes]) -> None:
    rows = (FlowRow("READPROG", "treated", "listed", "", 7), FlowRow("READPROG", "treated", "analysed", "", 7))
    figure = participant_flow(replace(whole(), flow=Flow(rows)))
    assert "7 schools listed, 0 left out, 7 analysed" in figure.alt
    assert not [text for text in axes[0].texts if "left out" in text.get_text()]


def test_the_curve_is_in_order_and_every_estimate_makes_one_choice_of_each_kind(axes: list[Axes]) -> None:
    figure = specification_curve(whole())
    estimates = [row[4] for row in figure.data.table.rows]
    assert estimates == sorted(estimates)
    assert 0.0 in axes[0].lines[0].get_ydata()
    low, high = axes[0].get_ylim()
    assert low < 0 < high
    dots = [line for line in axes[1].lines if line.get_marker() in ("o", "D")]
    assert len(dots) == 4 * len(estimates)
    assert f"{len(estimates)} estimates" in figure.alt
    assert "The main comparison, the diamond, gives 0.94." in figure.alt


def test_what_each_design_chooses() -> None:
    project = make_evaluation().project
    main = choices_of("neighbours", project)
    assert main == ("neighbours, list of 2021", "published in every year", "each school one", "not taken off")
    assert choices_of("neighbours_2025", project) == ("neighbours, list of 2025", *main[1:])
    assert choices_of("england", project) == ("all of England outside the area", *main[1:])
    assert choices_of("matched", project) == ("matched, with earlier outcomes", *main[1:])
    assert choices_of("neighbours_pupil_weighted", project) == (*main[:2], "by pupils", main[3])
    assert choices_of("neighbours_unrestricted", project) == (main[0], "published before and after", *main[2:])
    assert choices_of("neighbours_trend_adjusted", project) == (*main[:3], "continued and taken off")


def test_the_map_marks_areas_where_there_are_boundaries(axes: list[Axes]) -> None:
    figure = area_map(whole().design)
    assert figure is not None
    [ax] = axes
    assert len(ax.patches) == 4
    # The map runs from 51 to 54 degrees: a degree of longitude is cos(52.5°) = 0.609 of one of latitude.
    assert ax.get_aspect() == pytest.approx(1 / 0.6088, abs=1e-3)
    assert {text.get_text() for text in ax.texts} == {"Knowsley", "Liverpool", "St Helens"}
    assert "Map of 4 local authorities" in figure.alt
    assert "2 comparison areas, from north to south Liverpool and St Helens" in figure.alt
    assert "no outline of Sefton, Wirral and Halton" in figure.caption
    assert [row[2] for row in figure.data.table.rows] == ["treated", *["comparison"] * 5]


def test_without_boundaries_there_is_no_map_and_no_file_of_one() -> None:
    assert area_map(make_evaluation().design) is None
    assert FIGURES["map"](make_evaluation()) is None


def test_the_checklist_says_whether_there_is_a_map() -> None:
    def said(evaluation: AreasResults) -> tuple[object, ...]:
        return next(row for row in checklist(evaluation).table.rows if row[1] == "Map of the areas compared")[2:]

    assert said(make_evaluation()) == ("Not in this report", "No boundaries were supplied, so no map is drawn.")
    assert said(whole())[0] == "Who is compared with whom, and when was that decided?"
    made = whole()
    damaged = replace(made, design=replace(made.design, boundaries=Boundaries({}, unavailable_reason="It is damaged.")))
    assert said(damaged) == ("Not in this report", "It is damaged.")
    assert area_map(damaged.design) is None


@pytest.mark.parametrize("place", ["$\\foo{x$", "$1 and $2_{", "Reading \U0001f4da \u8bfb", "W" * 25])
def test_any_sign_may_stand_in_the_name_of_a_place(evaluation: AreasResults, place: str) -> None:
    programme = replace(evaluation.project.programme, place=place)
    project = replace(evaluation.project, programme=programme)
    named = replace(
        evaluation,
        project=project,
        design=replace(evaluation.design, project=project),
        headline=replace(evaluation.headline, place=place),
    )
    for draw in (trajectories_plot, permutation_plot, participant_flow):
        assert draw(named) is not None
