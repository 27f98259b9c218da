"""The checklist of a credible evaluation, each item with where this report covers it or why it does not."""

from __future__ import annotations

from typing import Final

from evalkit.core.formats import lower_first
from evalkit.core.quantities import Interval, Unavailable
from evalkit.core.words import listed
from evalkit.data.subgroups import by_words
from evalkit.diagnose.project.evaluation import AreasResults
from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.table import Column, Table
from evalkit.report.tables.design import released
from evalkit.report.words.names import capital, has_families, is_listed, surest

_SUMMARY: Final = "What do the data show?"
_DESIGN: Final = "Who is compared with whom, and when was that decided?"
_CHANGE: Final = "What changed, and how sure can anyone be?"
_ASKED: Final = "What was asked, and of whom?"
_ANSWER: Final = "How large was the difference, and what could be wrong?"
_REVIEW: Final = "What else would a reviewer ask?"
_AGAIN: Final = "How can this be made again?"
_NOT: Final = "Not in this report"
_SOME: Final = "Did it do more for some than for others?"
_TOGETHER: Final = "What remains when several outcomes are judged together?"

Item = tuple[str, str, str]


def checklist(evaluation: AreasResults) -> ReleasedTable:
    """Return every item a reviewer may ask for, the part of the report that covers it, and what to know of it."""
    rows = tuple(
        (str(number), item, where, note)
        for number, (item, where, note) in enumerate(
            (
                *_question(evaluation),
                *_design(evaluation),
                *_numbers(evaluation),
                *_sample(evaluation),
                *_rest(evaluation),
            ),
            1,
        )
    )
    columns = (
        Column("number", "No."),
        Column("item", "What a reviewer asks for"),
        Column("where", "Under which heading"),
        Column("note", "What to know, or why it is not there"),
    )
    notes = (
        "The list follows the practice of published evaluations of school programmes; an item that is not "
        "there says why.",
    )
    table = Table(caption="What this report covers", columns=columns, rows=rows, notes=notes)
    return released(evaluation, table)


def _has_interval(evaluation: AreasResults) -> bool:
    """Return whether the main effect on the primary outcome has an interval that allows for areas."""
    effect = surest(evaluation)
    return effect is not None and isinstance(effect.interval, Interval)


def _inference(evaluation: AreasResults) -> str:
    if not _has_interval(evaluation):
        return "None that could be relied on; the reasons stand beside the estimate."
    if is_listed(evaluation):
        return "Errors clustered by area, as the listed schools lie in several."
    return "Permutation over all areas; clustering by area is not possible with one treated area."


def _question(evaluation: AreasResults) -> tuple[Item, ...]:
    project = evaluation.project
    n_partial = len(project.exposure.partial)
    return (
        (
            "What is estimated: for whom, of what, against what, when",
            f"{_ASKED} {_CHANGE}",
            "In the table “What is estimated”.",
        ),
        (
            "Primary outcome and years fixed before outcomes; departures logged",
            f"{_DESIGN} {_AGAIN}",
            "Fixed in the project file. Whether it was locked before outcomes were read, and each field that differs "
            "from the lock, stands in the summary.",
        ),
        (
            "Years with part of the programme kept apart",
            f"{_DESIGN} {_CHANGE}",
            "Shown year by year, never in the main estimate." if n_partial else "No year had part of the programme.",
        ),
    )


def _design(evaluation: AreasResults) -> tuple[Item, ...]:
    several = len(evaluation.project.exposure.pre) > 1
    return (
        (
            "Who may be compared: phase, type, other programmes, spillover",
            f"{_DESIGN} {_REVIEW}",
            "Other programmes are those named in the project file, in the table “Other programmes in comparison "
            "areas”.",
        ),
        (
            "Matching on several earlier years, and without them",
            f"{_DESIGN} {_CHANGE}",
            "Both, side by side. Deprivation before the programme, prior attainment and inspections are "
            "not in these files.",
        ),
        (
            "Earlier trend with interval; placebo outcome, year and areas; one comparison area out; other neighbours",
            f"{_ANSWER} {_CHANGE} {_REVIEW}",
            ("" if several else "With one year before there is no earlier trend. ")
            + "What would be left were the earlier trend to go on is one bound on departures from parallel trends.",
        ),
        (
            "Inference that allows for few treated areas",
            f"{_ANSWER} {_CHANGE}",
            _inference(evaluation),
        ),
    )


def _numbers(evaluation: AreasResults) -> tuple[Item, ...]:
    return (
        (
            "Effect size with correction for small samples",
            f"{_SUMMARY} {_CHANGE}",
            "The correction is 1: the standard deviation is published, not estimated from this sample.",
        ),
        (
            "Which standard deviation",
            f"{_SUMMARY} {_CHANGE}",
            "That of pupils given earlier results, and beside it that between schools. The total one "
            "(of a model without covariates) needs records of pupils.",
        ),
        (
            "Effect size for clustered samples",
            _CHANGE,
            f"{'The interval allows for areas' if _has_interval(evaluation) else 'No interval is given'}; formulas for "
            "pupils in schools need records of pupils.",
        ),
        (
            "Months of progress with the table used",
            f"{_SUMMARY} {_CHANGE}",
            "At the estimate and both ends of the interval."
            if _has_interval(evaluation)
            else "Not given without an interval.",
        ),
        (
            "Least detectable effect at design and after losses; intraclass correlation",
            f"{_DESIGN} {_CHANGE} {_REVIEW}",
            "For areas, as it is and given the level before. For pupils in schools, and for disadvantaged pupils, "
            "these "
            "files hold no data.",
        ),
    )


def _sample(evaluation: AreasResults) -> tuple[Item, ...]:
    return (
        (
            "Likeness before, by the standard of the What Works Clearinghouse",
            f"{_DESIGN} {_ANSWER}",
            "Differences, ratios of variances, effective numbers, categories; no p-values.",
        ),
        _map(evaluation),
        ("Flow from listed to analysed, with reasons", f"{_DESIGN} {_CHANGE}", "By outcome and arm."),
        ("Losses overall and by arm", _CHANGE, "Of schools; pupils lost cannot be seen."),
        (
            "Missing results",
            f"{_CHANGE} {_REVIEW}",
            "Complete cases lead, as small cohorts are suppressed at the source; beside them imputed, at worst and "
            "best, trimmed, and without the rule that every year must be published.",
        ),
        _subgroups(evaluation),
        _several(evaluation),
    )


def _subgroups(evaluation: AreasResults) -> Item:
    item, project = "Disadvantaged pupils and other subgroups", evaluation.project
    named = dict.fromkeys(by for analysis in project.analyses for by in project.by_of(analysis))
    if not named:
        note = "No measure of disadvantaged pupils is read; for about a third of schools it would be suppressed."
        return item, _NOT, note
    return (
        item,
        _SOME,
        f"{capital(listed([lower_first(by_words(by)) for by in named], 9))}; the differences are tested.",
    )


def _several(evaluation: AreasResults) -> Item:
    item = "Several outcomes allowed for"
    if has_families(evaluation.project):
        return item, _TOGETHER, "Declared families by step-down over the same areas or sets; the rest is exploratory."
    if not _has_interval(evaluation):
        return item, _CHANGE, "No p-value is given that could be adjusted."
    return item, _CHANGE, "p-values as they are, and adjusted by Holm's method over the outcomes aimed at."


def _map(evaluation: AreasResults) -> Item:
    item = "Map of the areas compared"
    boundaries = evaluation.design.boundaries
    if boundaries is None:
        return item, _NOT, "No boundaries were supplied, so no map is drawn."
    if boundaries.unavailable_reason:
        return item, _NOT, boundaries.unavailable_reason
    return item, _DESIGN, "Drawn from the boundaries in the data folder; no number depends on them."


def _rest(evaluation: AreasResults) -> tuple[Item, ...]:
    cost = evaluation.cost
    pupils = "" if cost is None or isinstance(cost.n_pupils, Unavailable) else " By school, pupil and year."
    return (
        ("Delivery and dose", _NOT, "An analysis of the kind `dose` sets what each school had beside how it changed."),
        (
            "Usual practice, and what else changed",
            _REVIEW,
            "Conversions and named programmes; what other schools did is not known.",
        ),
        (
            "Cost",
            f"{_SUMMARY} {_REVIEW}",
            "The project file states none." if cost is None else f"The funder's grant only.{pupils}",
        ),
        (
            "A table for every outcome, and the grid of choices",
            f"{_CHANGE} {_REVIEW}",
            "Every choice asked for is shown.",
        ),
        ("Ratings by published scales", _REVIEW, "The kit's own reading, indicative."),
        (
            "Claims against data",
            _REVIEW,
            "Every claim that the project lists." if evaluation.claims else "The project lists no claims.",
        ),
        ("Data, versions, seed, how to run it again", _AGAIN, "Every file with its SHA-256."),
        (
            "What may leave: small counts",
            _REVIEW,
            f"Counts under {evaluation.project.disclosure.threshold} pupils are withheld.",
        ),
    )
