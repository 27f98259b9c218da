"""The words a report uses for codes, and those it never uses."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from evalkit.core.formats import lower_first, number
from evalkit.core.project import Project
from evalkit.core.quantities import Unavailable
from evalkit.core.words import listed
from evalkit.data.measures import MEASURES, contrast_code, marked
from evalkit.design.analysis_plan import AnalysisPlan
from evalkit.design.project.labels import MATCHED, MATCHED_WITHOUT_OUTCOMES, design_label
from evalkit.design.project.plan import DesignStage
from evalkit.diagnose.project.evaluation import AreasResults
from evalkit.estimate.effect import PLACED, Effect, surest_effect
from evalkit.report.kinds.kind_module import said_by_kind

ARMS: Final = {
    "treated": "Treated",
    "comparison": "Comparison",
    "neighbours": "Neighbours",
    "matched": "Matched schools",
    "rest_of_england": "England beyond the neighbours",
    "england": "England outside the treated area",
}
ROLES: Final = {
    "primary": "Primary",
    "secondary": "Secondary",
    "placebo": "Placebo (not targeted)",
    "contrast": "Contrast",
}
FINDINGS: Final = {
    "permutation": "Rank among areas, or among sets",
    "choices": "Choice of comparison",
    "pre_trend": "Movement before the programme",
    "placebo_start": "A start put back",
    "placebo_outcome": "The outcome not targeted",
    "alternative_list": "The other list of neighbours",
    "influence": "Leaving out one school",
    "joint": "All falsification tests together",
    "overlap": "Range of the compared schools",
    "concentration": "Areas that carry an arm",
    "triple_difference": "Targeted less untargeted outcome",
    "matching_assumptions": "The two matched comparisons",
    "balance": "Likeness before the programme",
    "level_and_change": "Level before and later change",
    "one_neighbour_out": "Leaving out one neighbour at a time",
    "attrition": "Schools without results",
    "missing_after": "Results missing afterwards",
    "missing_results": "What missing results could do",
    "conversions": "Schools that changed identity",
    "contamination": "Other programmes in comparison areas",
    "clustering_by_area": "Standard errors clustered by area",
    "score_cap": "The cap on extreme scores",
    "power": "Least detectable effect",
    "dose_follows_need": "Dose, and where participants stood before",
    "one_participant": "Weight of one participant",
    "partial_take_up": "Between nothing and the threshold",
    "source": "Where the series was read",
    "lists_postdate": "Age of the neighbour lists",
    "survey_response": "Who answered",
    "survey_response_gap": "Response in the two waves",
    "survey_one_wave": "Schools in one wave only",
    "survey_schools": "Schools in both waves",
    "survey_reliability": "Reliability of the scales",
    "survey_items": "Items against their scale",
    "survey_room": "Room at the ends of the scales",
    "survey_unknown_schools": "Schools no file knows",
    "survey_recurring": "The same people twice",
}
NO_MONTHS: Final = Unavailable(
    "Months of progress need an effect size in pupil-level standard deviations, which cannot be given."
)
NOT_ESTIMATED: Final = Unavailable("Not estimated.")

_STAGES: Final = {
    "KS2: ": "Key stage 2 (primary): ",
    "KS4: ": "Key stage 4 (secondary): ",
    "ABS: ": "Absence (all schools): ",
    "AREA: ": "Authorities: ",
}
_SHORT: Final = {
    MATCHED: "Matched, with earlier outcomes",
    MATCHED_WITHOUT_OUTCOMES: "Matched, without earlier outcomes",
}


def short_label(design: str) -> str:
    """Return the words for a design where there is little room."""
    return _SHORT.get(design) or design_label(design)


def capital(text: str) -> str:
    """Return text with a capital at its start, as cells of tables begin."""
    return text[:1].upper() + text[1:]


def case_label(case: str) -> str:
    """Return a counted case with its key stage in words."""
    start = next((code for code in _STAGES if case.startswith(code)), "")
    return _STAGES[start] + case.removeprefix(start) if start else capital(case)


def finding_label(name: str) -> str:
    """Return the words for a check, made from its name where the kit has none of its own."""
    words = name.replace("_", " ")
    return FINDINGS.get(name) or capital(words)


def school_sd_name(project: Project) -> str:
    """Return which standard deviation the school-level effect size divides by."""
    if not project.exposure.pre:  # participants start in years of their own
        return "SD between the units outside the programme in the last year before the first start"
    last = max(project.exposure.pre)
    return f"SD between the analysed schools of England outside the programme, in {last}, the last year before it"


def months_long(years: float) -> str:
    """Return a length in years as months with one decimal: `17.9`."""
    return number(12 * years, 1)


def is_invented(stage: DesignStage | AreasResults) -> bool:
    """Return whether the schools and results are made up."""
    return design_of(stage).data_kind != "real"


def arm_label(arm: str) -> str:
    """Return the words for an arm."""
    return ARMS.get(arm, arm.replace("_", " ").capitalize())


def outcome_label(stage: DesignStage | AreasResults, code: str) -> str:
    """Return the label of an outcome, which says so where the outcome is exploratory."""
    if isinstance(stage, AreasResults):
        return marked(stage.project, code, stage.measure_labels.get(code, code))
    return marked(stage.project, code, next((note.label for note in stage.measures if note.measure == code), code))


def has_families(project: Project) -> bool:
    """Return whether outcomes are judged together in families that the project file declares."""
    return bool(project.families or any(analysis.families for analysis in project.analyses))


def measure_label(project: Project, code: str) -> str:
    """Return the words for an outcome by its code, a difference of two in those of both; exploratory ones say so."""
    return marked(project, code, _label(project, code))


def _label(project: Project, code: str) -> str:
    own = next((outcome for outcome in project.outcomes if outcome.code == code and outcome.is_own), None)
    if own is not None:
        return own.label or capital((own.column or code).replace("_", " "))
    pair = next((one for one in project.contrasts if contrast_code(one) == code), None)
    if pair is not None:
        return f"{measure_label(project, pair.measure)} minus {lower_first(measure_label(project, pair.minus))}"
    if code in MEASURES:
        return MEASURES[code].label
    first, minus, second = code.partition("-")
    return f"{_label(project, first)} minus {lower_first(_label(project, second))}" if minus else code


def measure_unit(project: Project, code: str) -> str:
    """Return the unit of an outcome by its code, that of the first of two for a difference."""
    own = next((outcome for outcome in project.outcomes if outcome.code == code and outcome.is_own), None)
    if own is not None:
        return own.unit
    pair = next((one for one in project.contrasts if contrast_code(one) == code), None)
    if pair is not None:
        return measure_unit(project, pair.measure)
    known = MEASURES.get(code) or MEASURES.get(code.partition("-")[0])
    return known.unit if known else "points"


def effect_unit(project: Project, effect: Effect) -> str:
    """Return the unit of an effect: its own, as `points per adviser day`, or else its outcome's."""
    return effect.unit or measure_unit(project, effect.outcome)


def units_of(project: Project) -> str:
    """Return what takes part, in the plural: schools, unless an own table names units that no published file knows."""
    if not project.outcomes:
        return "units"
    table = project.data.tables.get(project.primary.table or "")
    return "units" if table is not None and (table.area or table.name) else "schools"


def units_counted(project: Project, plans: Iterable[AnalysisPlan]) -> str:
    """Return what the effects of analyses count, in the plural, each by its kind; `units` where they differ."""
    said = {said_by_kind("units", plan, lambda one: units_of(one.project)) for plan in plans} or {units_of(project)}
    return said.pop() if len(said) == 1 else "units"


def design_of(stage: DesignStage | AreasResults) -> DesignStage:
    """Return the design of a stage, which for an evaluation is the one it was made from."""
    return stage.design if isinstance(stage, AreasResults) else stage


def phase(project: Project, n: int) -> str:
    """Return what the schools of the primary outcome are called: primaries, secondaries, or schools."""
    known = MEASURES.get(project.primary.code)
    stage = known.key_stage if known else ""
    singular, plural = {"KS2": ("primary", "primaries"), "KS4": ("secondary", "secondaries")}.get(
        stage, ("school", "schools")
    )
    return singular if n == 1 else plural


def unit_of(stage: DesignStage | AreasResults, code: str) -> str:
    """Return the unit of an outcome, that of the primary one for a contrast."""
    notes = {note.measure: note.unit for note in design_of(stage).measures}
    return notes.get(code, notes.get(stage.project.primary.code, "points"))


def with_unit(stage: DesignStage | AreasResults, code: str) -> str:
    """Return the label of an outcome, with its unit where that is not the unit of the primary outcome."""
    unit = unit_of(stage, code)
    apart = "" if unit == unit_of(stage, stage.project.primary.code) else f" ({unit})"
    return outcome_label(stage, code) + apart


def one_per_design(evaluation: AreasResults, outcome: str, period: str = "post") -> list[Effect]:
    """Return one effect of an outcome for each design in order: with the interval that allows for shocks to areas.

    That is the permuted one, or where it has no interval the one clustered by area.
    """
    chosen: dict[str, Effect] = {}
    for effect in evaluation.effects:
        if (effect.outcome, effect.period) == (outcome, period):
            held = chosen.get(effect.design)
            if held is None or _says(effect) > _says(held):
                chosen[effect.design] = effect
    return list(chosen.values())


def _says(effect: Effect) -> int:
    """Return how much an effect says of its uncertainty where areas share shocks: more where the number is higher."""
    has_interval = not isinstance(effect.interval, Unavailable)
    if effect.inference in PLACED:
        return 3 if has_interval else 1
    return 2 if effect.cluster_level == "local_authority" and has_interval else 0


def surest(evaluation: AreasResults, outcome: str = "") -> Effect | None:
    """Return the main effect on an outcome (the primary one) with the interval that allows for shocks to areas.

    That is the one placed among areas or among sets, else the one clustered by area for schools listed in many.
    """
    return surest_effect(evaluation.effects, outcome or evaluation.project.primary.code)


def is_listed(stage: DesignStage | AreasResults) -> bool:
    """Return whether the treated schools are listed by name rather than all those of one area."""
    return stage.project.participants.is_listed


def treated_areas(stage: DesignStage | AreasResults) -> str:
    """Return the areas the treated schools lie in, in words; the programme's place where they are not known."""
    names = [name for row in design_of(stage).areas[:1] for _, name in row.treated]
    return listed(names, 20) if is_listed(stage) and names else stage.project.programme.place


def has_several_areas(stage: DesignStage | AreasResults) -> bool:
    """Return whether the treated schools lie in more than one area."""
    return any(len(row.treated) > 1 for row in design_of(stage).areas[:1])


def subject(stage: DesignStage | AreasResults) -> str:
    """Return what sentences are about: the place, or the schools listed as taking part."""
    return "the listed schools" if is_listed(stage) else stage.project.programme.place


def treated_label(stage: DesignStage | AreasResults) -> str:
    """Return what the treated arm is called in figures: the place, or that its schools are listed."""
    return "Listed schools" if is_listed(stage) else stage.project.programme.place


def outcome_codes(evaluation: AreasResults) -> list[str]:
    """Return the outcomes with effects, the primary one first, otherwise in the order they were estimated."""
    codes = list(dict.fromkeys(effect.outcome for effect in evaluation.effects))
    return sorted(codes, key=lambda code: code != evaluation.project.primary.code)


def clustered(evaluation: AreasResults, level: str, outcome: str = "") -> Effect | None:
    """Return the effect on an outcome (the primary one) with errors clustered at a level, if it was asked for."""
    main = outcome or evaluation.project.primary.code
    for effect in evaluation.effects:
        if (effect.outcome, effect.design, effect.period) == (main, "neighbours", "post") and (
            effect.inference,
            effect.cluster_level,
        ) == ("cluster", level):
            return effect
    return None


# Words that a report does not use, because the design cannot carry them.

FORBIDDEN: Final = ("impact", "led to", "no effect", "significant", "robustness check")

_NOT_OURS = re.compile(r"<q>.*?</q>|<style>.*?</style>|<head>.*?</head>", re.S)
_TAG = re.compile(r"<[^>]*>")
_ALT = re.compile(r'(?:alt|aria-label)="([^"]*)"')


def forbidden_words(page: str) -> list[str]:
    """Return the words of a page, texts for figures included, that a report does not use; quotations are exempt."""
    ours = _NOT_OURS.sub(" ", page)
    text = " ".join((_TAG.sub(" ", ours), *_ALT.findall(ours))).lower()
    return [word for word in FORBIDDEN if re.search(rf"\b{word}", re.sub(r"\s+", " ", text))]


# What a project file can choose otherwise.

_CHOICES: Final = {
    "pool.neighbours": "List of neighbours",
    "pool.require_all_years": "Published in every year",
    "pool.minimum_area_schools": "Fewest schools of an area",
    "pool.minor_groups": "Groups of schools",
    "pool.exclude_areas": "Areas left out",
    "estimation.weights": "Weight of a school by",
    "exposure.pre": "Years before",
    "matching.ratio": "Partners of a school",
    "matching.covariates": "Matched on",
    "comparison": "Compared with",
    "sample": "Schools",
    "change": "Change",
    "analysis": "Analysis",
}


def choice_words(name: str) -> str:
    """Return what a choice of a project file is called for readers: `pool.neighbours` is the list of neighbours."""
    if name in _CHOICES:
        return _CHOICES[name]
    first, _, rest = name.partition(".")
    if rest in _CHOICES:
        return f"{_CHOICES[rest]} (“{first}”)"
    return f"{capital(rest.replace('_', ' ').replace('.', ', '))} (“{first}”)" if rest else capital(first)
