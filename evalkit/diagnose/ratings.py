"""How secure the result is by published scales that count: the EEF's padlocks, WWC baselines, Campbell's appraisal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from evalkit.core.formats import careful, number
from evalkit.core.quantities import Quantity, Unavailable
from evalkit.core.words import counted
from evalkit.data.measures import measure
from evalkit.design.labels import NEIGHBOURS
from evalkit.design.stage import BalanceRow, DetectableEffect
from evalkit.diagnose.attrition import attrition_of
from evalkit.diagnose.balance import ADJUSTABLE, SATISFIED
from evalkit.diagnose.evaluation import Judgement
from evalkit.diagnose.evidence_rating import NOT_TESTED, RULES, EvidenceRating, evidence_rating
from evalkit.diagnose.falsification import JOINT
from evalkit.diagnose.finding import Finding, FindingKind, Verdict
from evalkit.diagnose.results import Results

EEF: Final = "EEF security rating (indicative, not an EEF rating)"
WWC: Final = "What Works Clearinghouse, baseline"
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
    """Return the padlocks, the baseline category and Campbell's three domains, each with its reason."""
    why = f"{rating.sentence} {RULES} {_LIMIT}"
    padlocks = Judgement(scale=EEF, domain="Overall", judgement=rating.label, sentence=why)
    return (padlocks, _baseline(results), *_campbell(results))


def baseline_category(smd: Quantity) -> str:
    """Return the What Works Clearinghouse's category of a baseline difference in standard deviations."""
    if isinstance(smd, Unavailable):
        return "not known"
    size = abs(smd)
    return "satisfied" if size <= SATISFIED else "adjust" if size <= ADJUSTABLE else "fails"


_MEANING: Final = {
    "satisfied": "At most 0.05 satisfies the standard.",
    "adjust": "From 0.05 to 0.25 the standard asks for statistical adjustment; a comparison of changes is one.",
    "fails": "Above 0.25 no adjustment satisfies the standard: the arms began too far apart.",
    "not known": "No category can be given.",
}


def _baseline(results: Results) -> Judgement:
    rows = _main_rows(results)
    if not rows:
        return Judgement(scale=WWC, domain="Baseline", judgement="not known", sentence="No baseline could be compared.")
    worst = max(rows, key=_size)
    category = baseline_category(worst.smd_after)
    sentence = (
        f"The largest difference between treated and compared schools before the programme is {careful(_size(worst))} "
        f"SD between schools ({worst.label}; {measure(worst.outcome).label.lower()}). {_MEANING[category]}"
    )
    return Judgement(scale=WWC, domain="Baseline", judgement=category, sentence=sentence)


def _main_rows(results: Results) -> list[BalanceRow]:
    main = (results.primary, NEIGHBOURS)
    return [row for row in results.stage.balance if (row.outcome, row.design) == main]


def _size(row: BalanceRow) -> float:
    return abs(row.smd_after) if isinstance(row.smd_after, float) else 0.0


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
    return tuple(Judgement(scale=CAMPBELL, domain=d, judgement=j, sentence=s) for d, j, s in made)
