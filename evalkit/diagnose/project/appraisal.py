"""The result on published scales, counted and in words; claims; cost; limits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from evalkit.core.formats import as_sentence, interval_text, lower_first, mean_of, number, visible
from evalkit.core.project import Claim, Exposure
from evalkit.core.quantities import Interval, Quantity, Unavailable
from evalkit.core.words import counted
from evalkit.data.measures import Measure, measure_of
from evalkit.design.project.labels import NEIGHBOURS
from evalkit.design.project.plan import BalanceRow, DetectableEffect
from evalkit.diagnose.appraisal.judgement import EEF, Judgement
from evalkit.diagnose.finding import Finding, FindingKind, Verdict
from evalkit.diagnose.matched.balance_registry import ADJUSTABLE
from evalkit.diagnose.project.evaluation import NOT_TESTED, RULES, ClaimCheck, EvidenceRating, evidence_rating
from evalkit.diagnose.project.falsification import JOINT
from evalkit.diagnose.project.flows import attrition_of
from evalkit.diagnose.project.results import Results
from evalkit.estimate.effect import Effect

# How secure the result is by published scales that count: the EEF's padlocks, WWC baselines, Campbell's appraisal.

CAMPBELL: Final = "Campbell critical appraisal"
_MANY, _FEW = 60, 30
_MOST_UNLIKE: Final = 0.05
_NO_DETECTABLE: Final = Unavailable("No least detectable effect in pupil-level standard deviations can be given.")
_LIMIT: Final = (
    "The EEF's own rating is made by two of its reviewers and puts pupils lost, not schools, and another standard "
    "deviation in these places; its steps stand here as the kit understands them (unverified)."
)


def security(results: Results, findings: Sequence[Finding]) -> EvidenceRating:
    """Return the indicative security of the primary result from its design, detectable effect, losses and checks."""
    lost = attrition_of(results.flow, results.primary).worst
    if isinstance(lost, Unavailable):
        return EvidenceRating(lost, f"Not rated: {lost.reason}")
    joint = next((one.p_value for one in findings if one.name == JOINT), NOT_TESTED)
    return evidence_rating(detectable_in_sd(results, results.primary), lost, n_serious_facts(findings), joint)


def n_serious_facts(findings: Sequence[Finding]) -> int:
    """Return how many design facts are serious: with the joint test, all that a rating counts."""
    return sum(one.kind is FindingKind.DESIGN_FACT and one.verdict is Verdict.SERIOUS for one in findings)


def detectable_in_sd(results: Results, outcome: str) -> Quantity:
    """Return the least detectable effect on an outcome in pupil-level SDs, the larger of planned and realised."""
    entry = next((one for one in results.detectable if one.outcome == outcome), None)
    effect = results.effect(outcome)
    size = effect.effect_size if effect else None
    if entry is None or size is None or isinstance(size.sd_used, Unavailable):
        return _NO_DETECTABLE
    known = _known(entry)
    return max(known) / size.sd_used if known else _NO_DETECTABLE


def _known(entry: DetectableEffect) -> list[float]:
    return [value for value in (entry.at_design, entry.realised) if isinstance(value, float)]


def ratings(results: Results, rating: EvidenceRating) -> tuple[Judgement, ...]:
    """Return the padlocks and Campbell's three domains, each with its reason: what other kinds do not have."""
    why = f"{rating.sentence} {_LIMIT}"
    padlocks = Judgement(scale=EEF, domain="Overall", judgement=rating.label, sentence=why, rule=RULES)
    return (padlocks, *_campbell(results))


def _main_rows(results: Results) -> list[BalanceRow]:
    main = (results.primary, NEIGHBOURS)
    return [row for row in results.stage.balance if (row.outcome, row.design) == main]


def _size(row: BalanceRow) -> float:
    return abs(row.smd_after) if isinstance(row.smd_after, float) else 0.0


_CAMPBELL_RULE: Final = "By counts alone, at the lines named beside it; the appraisal's other domains are a reader's."


def _campbell(results: Results) -> tuple[Judgement, ...]:
    design = results.locked.outcomes[results.primary]
    n_treated, n_near = len(design.treated_areas), len(design.comparisons[NEIGHBOURS].of(design.treated_group))
    n = n_treated + n_near
    sample = "high" if n >= _MANY else "medium" if n >= _FEW else "low"
    rows = _main_rows(results)
    unlike = sum(_size(row) > ADJUSTABLE for row in rows) / len(rows) if rows else 1.0
    made = (
        ("Design", "medium", "Changes are set against those of other schools, with matched comparisons beside them."),
        (
            "Sample",
            sample,
            f"{counted(n_treated, 'treated area')} and {counted(n_near, 'compared area')}; from {_MANY} on counts as "
            f"high, under {_FEW} as low.",
        ),
        (
            "Balance before",
            "high" if unlike <= _MOST_UNLIKE else "low",
            f"{number(100 * unlike, 0)}% of what was compared before the programme lies more than {ADJUSTABLE} SD "
            "apart; at most 5% counts as high.",
        ),
    )
    return tuple(Judgement(scale=CAMPBELL, domain=d, judgement=j, sentence=s, rule=_CAMPBELL_RULE) for d, j, s in made)


# What else a reader must know: shares analysed, claims, limits.


def eligible_share(results: Results, arm: str) -> float:
    """Return the share of an arm's eligible schools that could be analysed; 1 where none was eligible."""
    lost = attrition_of(results.flow, results.primary)
    share = lost.share_treated if arm == "treated" else lost.share_comparison
    return 1.0 if isinstance(share, Unavailable) else 1 - share


def check_claims(results: Results, claims: tuple[Claim, ...]) -> tuple[ClaimCheck, ...]:
    """Set each claim against the estimate that bears on it."""
    return tuple(_check(results, claim) for claim in claims)


def _check(results: Results, claim: Claim) -> ClaimCheck:
    if results.intake.kind != "real":
        return ClaimCheck(
            claim=claim,
            verdict="not checked: the data are invented",
            sentence="Invented results say nothing about a claim on a real programme.",
        )
    effect = results.effect(claim.measure) if claim.measure else None
    if effect is None:
        why = claim.reason or "No outcome of this project bears on it."
        return ClaimCheck(claim=claim, verdict="these data cannot answer it", sentence=why)
    if not isinstance(effect.estimate, float):
        return ClaimCheck(claim=claim, verdict="not estimated", sentence=as_sentence(effect.estimate.reason))
    return ClaimCheck(claim=claim, verdict=_verdict(effect), sentence=_evidence(results, effect))


def _verdict(effect: Effect) -> str:
    if not isinstance(effect.interval, Interval) or 0.0 in effect.interval:
        return "not shown: other areas without the programme changed as much"
    if effect.interval.lower > 0:
        return "consistent with these data, which cannot say what caused it"
    return "contradicted by these data"


def _evidence(results: Results, effect: Effect) -> str:
    exposure = results.project.exposure
    frame, design = results.outcomes[effect.outcome].panel.frame, results.locked.outcomes[effect.outcome]
    near = design.comparisons[NEIGHBOURS].of(design.treated_group)
    own, other = (
        rows.groupby("period")["outcome"].mean()
        for rows in (frame[frame["cohort"].notna()], frame[frame["cluster"].isin(near)])
    )
    moved = [float(m[list(exposure.post)].mean() - m[list(exposure.pre)].mean()) for m in (own, other)]
    before, after = (visible(float(own[list(years)].mean())) for years in (exposure.pre, exposure.post))
    estimate = visible(effect.estimate) if isinstance(effect.estimate, float) else ""
    reach = (
        f" Its interval, from how much areas without the programme changed, is {interval_text(effect.interval)}."
        if isinstance(effect.interval, Interval)
        else ""
    )
    label = measure_of(results.project, effect.outcome).label
    return (
        f"{label} in the treated schools moved from {before} ({mean_of(exposure.pre)}) "
        f"to {after} ({mean_of(exposure.post)}), by {visible(moved[0])} points; in neighbouring areas by "
        f"{visible(moved[1])}. The difference is {estimate}.{reach} Nothing in these data shows what caused it."
    )


def limits(results: Results) -> tuple[str, ...]:
    """Return what this evaluation cannot say, most important first."""
    place, exposure = results.project.programme.place, results.project.exposure
    where = place if results.intake.treated.is_whole_area else "the listed schools"
    whole = (
        (
            f"{results.project.participants.whole_area_reason} If some of the eligible schools in {place} did not take "
            "part, the effect on those that did may be larger, and these data cannot give it.",
        )
        if results.intake.treated.is_whole_area
        else ()
    )
    return (
        f"The design cannot separate the programme from anything else that changed in {where} between "
        f"{min(exposure.pre)} and {max(exposure.post)}.",
        *whole,
        *_years(exposure, measure_of(results.project, results.primary)),
        "School results are averages over different pupils each year; no pupil is followed, and pupils who moved "
        "cannot be seen.",
        "No measure of deprivation from before the programme is in these files, so schools could not be matched on it.",
        "The primary outcome was named first. The table of outcomes also gives p-values adjusted for the number of "
        "outcomes; none is adjusted for the number of comparisons, which are there to show how far the answer moves.",
    )  # fmt: skip


def _years(exposure: Exposure, primary: Measure) -> Iterator[str]:
    """Yield what the number of summers, and the last of them, leave open."""
    few_before, few_after = len(exposure.pre) <= _FEW_BEFORE, len(exposure.post) == 1
    trend = f"{'no' if len(exposure.pre) == 1 else 'hardly any'} trend before the programme can be seen"
    lasting = "nothing can be said about whether a change lasted"
    if few_before or few_after:
        told = " and ".join([trend] * few_before + [lasting] * few_after)
        verb = "is" if len(exposure.pre) == 1 else "are"
        yield f"There {verb} {counted(len(exposure.pre), 'summer')} before and {len(exposure.post)} after: {told}."
    if not primary.years:  # of a table of the project's own: which further years there are, nobody here knows
        return
    last, label = max(primary.years), lower_first(primary.label)
    if max(exposure.post) < last:
        yield f"Results in {label} of later summers have been published, to {last}, and are no part of this question."
    else:
        yield f"This kit knows {label} to the summer of {last}: later years are not seen here."


_FEW_BEFORE = 3
