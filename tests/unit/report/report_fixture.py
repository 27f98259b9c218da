"""An evaluation with plausible invented results, whole and with everything unavailable."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from evalkit.core.manifest import InputFile, Provenance
from evalkit.core.project import (
    Analysis,
    Claim,
    Contamination,
    Exposure,
    Outcome,
    Participants,
    Programme,
    Project,
    TripleDifference,
)
from evalkit.core.project_parts import Cost, Source
from evalkit.core.quantities import Estimand, Interval, Unavailable
from evalkit.data.flow import CountedCase, Flow, FlowRow
from evalkit.design.analysis_plan import AnalysisPlan, ProjectDesign
from evalkit.design.project.plan import (
    AreaComparison,
    BalanceRow,
    DesignStage,
    DetectableEffect,
    MatchSummary,
    MeasureNote,
)
from evalkit.diagnose.appraisal.judgement import Judgement
from evalkit.diagnose.evaluation import AnalysisResults, Evaluation
from evalkit.diagnose.finding import CheckPower, Finding, FindingKind, Verdict
from evalkit.diagnose.project.evaluation import (
    AreaDistribution,
    AreasResults,
    ArmYear,
    ClaimCheck,
    ConversionRow,
    CostSummary,
    EvidenceRating,
    Headline,
    IntraclassCorrelation,
    OutcomeSummary,
)
from evalkit.diagnose.project.flows import attrition_of
from evalkit.estimate.effect import Effect, EffectSize, Months, PermutationDetail

LABELS = {
    "READPROG": "Reading progress",
    "WRITPROG": "Writing progress",
    "MATPROG": "Maths progress",
    "READPROG-MATPROG": "Reading progress minus maths progress",
}
ROLES = {"READPROG": "primary", "WRITPROG": "secondary", "MATPROG": "placebo", "READPROG-MATPROG": "contrast"}
NO_LA = Unavailable(
    "With one treated local authority its residuals sum to zero, so clustering by local authority cannot see its shock."
)
NO_P = Unavailable("Clustering by school excludes area shocks, so a p-value from it would mislead.")
NO_RATIO = Unavailable("The effect is on a whole area and the cost on some of its schools.")
SD_NAME = "SD of pupils' scaled scores, unconditional; from shares of pupils, 2017"
SD_CONDITIONAL = "SD of pupil progress, conditional on prior attainment; one county"


def make_project() -> Project:
    return Project(
        schema_version=2,
        slug="knowsley-ssif",
        title="Pathways to Success in Knowsley",
        question="Did reading in Knowsley's primary schools rise more than in schools of similar areas?",
        programme=Programme(
            name="Pathways to Success",
            place="Knowsley",
            funder="the Department for Education's Strategic School Improvement Fund",
            aim="better literacy in primary and secondary schools",
            start=date(2018, 2, 1),
            end=date(2019, 7, 31),
            description="Twelve advisers worked with 29 primary and secondary schools.",
            sources=(Source(title="A case study of the programme"),),
        ),
        participants=Participants(
            areas=(340,),
            known_participants="About 26 of the 49 primaries took part.",
            why_whole_area="Which schools took part is not public",
        ),
        exposure=Exposure(pre=(2016, 2017), partial=(2018,), post=(2019,)),
        outcomes=(
            Outcome(measure="READPROG", role="primary"),
            Outcome(measure="WRITPROG", role="secondary"),
            Outcome(measure="MATPROG", role="placebo"),
        ),
        analyses=(Analysis(name="main", kind="areas", primary=True),),
        contrasts=(TripleDifference(measure="READPROG", minus="MATPROG"),),
        cost=Cost(total_gbp=744103, schools=29, source="the case study"),
        contamination=(
            Contamination(areas=(341,), programme="Another grant of the same fund", source="the fund's list"),
        ),
    )


def make_effect(outcome: str, design: str, estimate: float, half: float, p: float, **more: Any) -> Effect:
    given: dict[str, Any] = {
        "outcome": outcome,
        "role": ROLES[outcome],
        "design": design,
        "estimand": Estimand.AREA_ITT,
        "period": "post",
        "estimate": estimate,
        "std_error": 0.41,
        "interval": Interval(round(estimate - half, 2), round(estimate + half, 2)),
        "p_value": p,
        "p_value_one_sided": p / 2,
        "inference": "permutation",
        "cluster_level": "local_authority",
        "n_treated": 49,
        "n_comparison": 563,
        "n_treated_clusters": 1,
        "method": "difference in mean change, area permutation",
    }
    return Effect(**(given | more))


def main_size() -> EffectSize:
    # 0.94 / 7.88 = 0.119; 0.02 / 7.88 = 0.003; 1.86 / 7.88 = 0.236: 2, 0 and 3 months. 0.94 / 6.17 = 0.152
    return EffectSize(
        hedges_g=0.94 / 7.88,
        hedges_g_interval=Interval(0.02, 1.86).divided(7.88),
        sd_used=7.88,
        sd_name=SD_NAME,
        hedges_g_conditional=0.94 / 6.17,
        hedges_g_conditional_interval=Interval(0.02, 1.86).divided(6.17),
        sd_conditional=6.17,
        sd_conditional_name=SD_CONDITIONAL,
        hedges_g_school=0.94 / 2.7,
        school_sd=2.7,
        months=Months(estimate=2, lower=0, upper=3, table="Toolkit table of the EEF"),
    )


def make_effects() -> tuple[Effect, ...]:
    detail = PermutationDetail(
        rank=7,
        n_areas=149,
        smallest_p=1 / 149,
        studentised_p=0.027,
        studentised_interval=Interval(0.11, 1.77, 0.95),
        plain_p=0.047,
        plain_interval=Interval(0.02, 1.86, 0.95),
    )
    read = "READPROG"
    main = make_effect(read, "neighbours", 0.94, 0.92, 7 / 149, permutation=detail, effect_size=main_size())
    school = replace(main, inference="cluster", cluster_level="school", n_treated_clusters=49, p_value=NO_P)
    school = replace(school, p_value_one_sided=NO_P, permutation=None, effect_size=None, interval=Interval(0.14, 1.74))
    area = replace(school, cluster_level="local_authority", std_error=NO_LA, interval=NO_LA, p_value=NO_LA)
    area = replace(area, p_value_one_sided=NO_LA, n_treated_clusters=1)
    england = make_effect(read, "england", 0.71, 0.85, 0.094, n_comparison=13890)
    among = Estimand.AREA_ITT_AMONG_MATCHED
    others = (
        make_effect(read, "neighbours_2025", 0.88, 0.9, 0.054, n_comparison=541),
        england,
        make_effect(read, "neighbours_pupil_weighted", 1.02, 0.95, 0.04),
        make_effect(read, "neighbours_unrestricted", 0.9, 0.91, 0.05, n_treated=51, n_comparison=601),
        make_effect(read, "neighbours_without_conversions", 0.97, 0.97, 0.05, n_treated=44, n_comparison=498),
        make_effect(read, "neighbours_trend_adjusted", 0.12, 1.9, 0.9),
        make_effect(read, "neighbours_before", 0.33, 0.83, 0.4, period="2017"),
        make_effect(read, "matched", 0.55, 0.8, 0.17, n_comparison=201, estimand=among, n_treated=48),
        make_effect(read, "matched_without_outcomes", 0.81, 0.9, 0.08, n_comparison=211),
    )
    years = tuple(
        make_effect(read, "neighbours", estimate, half, p, period=year)
        for year, estimate, half, p in (
            ("2016", -0.165, 0.5, 0.5),
            ("2017", 0.165, 0.5, 0.5),
            ("2018", 0.4, 0.8, 0.3),
            ("2019", 0.94, 0.92, 7 / 149),
        )
    )
    rest = (
        make_effect("WRITPROG", "neighbours", -0.3, 0.9, 0.48),
        make_effect("WRITPROG", "england", -0.42, 0.9, 0.3),
        make_effect("MATPROG", "neighbours", 0.6, 1.0, 0.23),
        make_effect("MATPROG", "matched", 0.4, 1.0, 0.41),
        make_effect("READPROG-MATPROG", "neighbours", 0.33, 0.5, 0.2),
    )
    return (main, school, area, *others, *years, *rest)


def make_balance() -> tuple[BalanceRow, ...]:
    covariates = (
        ("READPROG_2016", "Reading progress 2016", -1.21, -0.02, -1.18),
        ("READPROG_2017", "Reading progress 2017", -0.9, 0.05, -0.84),
        ("cohort_size", "Cohort size", 39.1, 34.6, 37.2),
    )
    scale = {"READPROG_2016": 2.7, "READPROG_2017": 2.6, "cohort_size": 17.0}
    rows = []
    for design, kept in (("neighbours", 0.2), ("matched", 1.0), ("matched_without_outcomes", 0.3)):
        for covariate, label, treated, before, after in covariates:
            shown = before + kept * (after - before)
            sd = scale[covariate]
            rows.append(
                BalanceRow(
                    outcome="READPROG",
                    design=design,
                    covariate=covariate,
                    label=label,
                    mean_treated=treated,
                    mean_comparison_before=before,
                    mean_comparison_after=shown,
                    denominator=sd,
                    smd_before=(treated - before) / sd,
                    smd_after=(treated - shown) / sd,
                    variance_ratio_before=1.1,
                    variance_ratio_after=1.02,
                    effective_n=212.1,
                )
            )
    return tuple(rows)


def make_flow() -> Flow:
    rows = []
    for outcome in ("READPROG", "WRITPROG", "MATPROG"):
        for arm, listed, lost in (
            ("treated", 51, (1, 1)),
            ("comparison", 601, (20, 18)),
            ("rest_of_england", 16100, (900, 1400)),
        ):
            rows.append(FlowRow(outcome, arm, "listed", "", listed))  # type: ignore[arg-type]
            rows.append(FlowRow(outcome, arm, "excluded", "not mainstream state-funded", lost[0]))  # type: ignore[arg-type]
            rows.append(FlowRow(outcome, arm, "excluded", "no published outcome in every year", lost[1]))  # type: ignore[arg-type]
            rows.append(FlowRow(outcome, arm, "analysed", "", listed - sum(lost)))  # type: ignore[arg-type]
    return Flow(tuple(rows))


def make_design() -> DesignStage:
    names = ((341, "Liverpool"), (342, "St Helens"), (343, "Sefton"), (344, "Wirral"), (876, "Halton"))
    measures = tuple(
        MeasureNote(
            measure=code,
            label=LABELS[code],
            unit="progress points",
            sentences=("From 2018 extremely low scores are capped.",),
        )
        for code in ("READPROG", "WRITPROG", "MATPROG")
    )
    return DesignStage(
        project=make_project(),
        data_kind="synthetic",
        areas=(
            AreaComparison(
                list_name="april_2021",
                list_label="April 2021",
                treated=((340, "Knowsley"),),
                comparison=names,
                absent=(839,),
            ),
            AreaComparison(
                list_name="may_2025",
                list_label="May 2025",
                treated=((340, "Knowsley"),),
                comparison=names[:4],
                absent=(),
            ),
        ),
        flow=make_flow(),
        identity=(CountedCase("conversion chained one-to-one", 812), CountedCase("merger left unchained", 1)),
        participants=(CountedCase("every eligible school of the area", 51),),
        matches=(
            MatchSummary(
                outcome="READPROG",
                design="matched",
                n_treated=48,
                n_comparison=201,
                effective_n=171.4,
                most_used=4,
                lost=1,
            ),
        ),
        balance=make_balance(),
        detectable=(DetectableEffect(outcome="READPROG", at_design=1.05, realised=1.31, n_areas=149),),
        measures=measures,
    )


def make_distribution() -> AreaDistribution:
    # 148 areas evenly spread over ±0.9, six of them moved beyond 0.94: with Knowsley seven are as large.
    effects = [round(-0.9 + 1.8 * i / 147, 4) for i in range(148)]
    for i, value in zip((0, 1, 2, 145, 146, 147), (-1.4, -1.2, -0.99, 0.97, 1.3, 1.6), strict=True):
        effects[i] = value
    codes = (340, *range(1001, 1149))
    names = ("Knowsley", *(f"Area {code}" for code in codes[1:]))
    return AreaDistribution(
        outcome="READPROG", design="neighbours", areas=codes, names=names, effects=(0.94, *effects), treated_area=340
    )


def make_headline() -> Headline:
    return Headline(
        measure_label="Reading progress",
        place="Knowsley",
        n_schools=49,
        pre_label="the 2016 and 2017 average",
        post_label="2019",
        list_year="2021",
        estimate=0.94,
        interval=Interval(0.02, 1.86),
        n_areas=149,
        n_as_large=7,
        p_value=7 / 149,
        placebo_label="Maths",
        placebo_estimate=0.6,
        contrast_label="reading minus maths",
        contrast_estimate=0.33,
        contrast_p=0.2,
        lead=0.33,
        lead_label="2016 to 2017",
        adjusted=0.12,
    )


def make_evaluation() -> AreasResults:
    design = make_design()
    arms = {
        "treated": (-1.2, -0.87, -0.5, 0.1),
        "neighbours": (-0.2, -0.2, -0.1, 0.0),
        "england": (0.0, 0.01, 0.02, 0.03),
    }
    n = {"treated": 49, "neighbours": 563, "england": 13890}
    claim = Claim(
        quote="An extremely positive impact on outcomes and teaching",
        part="outcomes",
        source="the evaluation of October 2019",
        measure="READPROG",
        note="The evaluation was not at hand.",
    )
    other = Claim(
        quote="Teaching led to better GCSEs",
        part="English GCSEs",
        source="the case study",
        reason="Six secondaries cannot show it.",
    )
    return AreasResults(
        project=design.project,
        design=design,
        headline=make_headline(),
        effects=make_effects(),
        flow=design.flow,
        outcomes=tuple(
            OutcomeSummary(
                outcome=code,
                label=LABELS[code],
                role=ROLES[code],
                unit="progress points",
                n_treated=49,
                n_comparison=563,
                n_pupils_treated=1787,
                n_pupils_comparison=21687,
                treated_pre=-1.03,
                treated_post=0.1,
                comparison_pre=-0.2,
                comparison_post=0.0,
                raw_difference=0.1,
                detectable_sd=1.31 / 6.17,
                # two outcomes aimed at, p 0.047 and 0.48: twice the smaller, then the larger
                p_adjusted={"READPROG": 14 / 149, "WRITPROG": 0.48}.get(code, Unavailable("Not aimed at.")),
            )
            for code in ("READPROG", "WRITPROG", "MATPROG")
        ),
        trajectories=tuple(
            ArmYear(outcome="READPROG", arm=arm, year=2016 + i, mean=mean, n=n[arm])
            for arm, means in arms.items()
            for i, mean in enumerate(means)
        ),
        distributions=(make_distribution(),),
        detectable=design.detectable,
        findings=(
            Finding(
                "placebo_outcome",
                Verdict.CAUTION,
                0.6,
                "Maths, not targeted, moved in the same direction as reading.",
                FindingKind.FALSIFICATION,
                0.12,
                149,
                CheckPower(violation=1.05, at_half=0.1, at_one=0.4, at_twice=0.9),
            ),
            Finding(
                "pre_trend",
                Verdict.SERIOUS,
                0.33,
                "Knowsley was rising before the programme began.",
                FindingKind.FALSIFICATION,
                0.04,
                149,
                Unavailable("One year before."),
            ),
            Finding(
                "secondary_schools",
                Verdict.NOT_ASSESSABLE,
                Unavailable("Only six schools."),
                "Unavailable: six schools.",
            ),
        ),
        judgements=(
            Judgement(
                scale="ROBINS-I",
                domain="Confounding",
                judgement="Serious",
                sentence="Other changes cannot be told apart.",
            ),
            Judgement(
                scale="Maryland", domain="Overall", judgement="3", sentence="Before and after, with comparison areas."
            ),
        ),
        claims=(
            ClaimCheck(claim=claim, verdict="not shown", sentence="The difference is within what other areas show."),
            ClaimCheck(claim=other, verdict="cannot be assessed", sentence="Six secondaries are too few."),
        ),
        conversions=(
            ConversionRow(arm="treated", n_converted=5, n_schools=49),
            ConversionRow(arm="comparison", n_converted=65, n_schools=563),
        ),
        cost=CostSummary(
            total_gbp=744103,
            schools=29,
            per_school_gbp=744103 / 29,
            source="the case study",
            n_pupils=20311,
            n_pupil_schools=55,
            per_pupil_gbp=744103 / 20311,
            years=546 / 365.25,
            per_pupil_year_gbp=744103 / 20311 / (546 / 365.25),
            band="very low",
            per_tenth_sd_gbp=NO_RATIO,
            per_tenth_sd_interval=NO_RATIO,
        ),
        limits=(
            "One area was treated: anything else that happened there is part of the estimate.",
            "No tests in 2020 or 2021.",
        ),
        measure_labels=LABELS,
        attrition=tuple(attrition_of(design.flow, code) for code in ("READPROG", "WRITPROG", "MATPROG")),
        intraclass=(make_icc(),),
        rating=EvidenceRating(2, "4 for the design, less 2 for 2 serious design facts."),
    )


@dataclass(frozen=True)
class AreasPlan:
    """What the kind of a project's one analysis holds of its design."""

    stage: DesignStage


def whole(areas: AreasResults) -> Evaluation:
    """Return the evaluation of a project whose one analysis gave these results."""
    project = areas.project
    plan = AnalysisPlan(
        analysis=project.primary_analysis,
        project=project,
        label="areas compared with their statistical neighbours",
        details=AreasPlan(areas.design),
        record={},
        shown_by="evalkit.report.kinds.areas",
    )
    marked = {(one.outcome, one.design, one.period): one for one in reversed(areas.effects)}
    effects = tuple(
        replace(one, is_main=one is marked[one.outcome, "neighbours", "post"])
        if (one.design, one.period) == ("neighbours", "post")
        else one
        for one in areas.effects
    )
    results = AnalysisResults(
        plan=plan,
        estimand="The average effect of Pathways to Success on the schools of Knowsley.",
        recommended="area permutation",
        reason="One area is treated; its change is placed among those of all areas.",
        effects=effects,
        findings=areas.findings,
        details=areas,
    )
    design = ProjectDesign(project=project, data_kind=areas.design.data_kind, plans=(plan,))
    return Evaluation(project=project, design=design, analyses=(results,))


def make_provenance(evaluation: AreasResults) -> Provenance:
    project = evaluation.project
    return Provenance(
        slug=project.slug,
        data_kind=evaluation.design.data_kind,
        seed=project.seed,
        threshold=project.disclosure.threshold,
        parameters={
            "slug": project.slug,
            "programme": {"place": "Knowsley", "description": "A long text."},
            "exposure": {"pre": [2016, 2017], "partial": [], "post": [2019]},
            "outcomes": [{"measure": "READPROG", "role": "primary"}, {"measure": "MATPROG", "role": "placebo"}],
            "pool": {"require_all_years": True, "exclude_areas": []},
            "cost": {"total_gbp": 744103.0},
            "claims": None,
        },
        inputs=(InputFile(path="data/gias/links.csv", sha256="ab" * 32),),
        versions={"evalkit": "0.1.0", "python": "3.11.7"},
        commit="c0" * 20,
        numerics="scipy-openblas 0.3; Linux x86_64",
    )


def make_icc() -> IntraclassCorrelation:
    return IntraclassCorrelation(
        outcome="READPROG",
        icc=0.031,
        interval=Interval(0.023, 0.043),
        conditional=0.042,
        conditional_interval=Interval(0.031, 0.057),
        n_schools=14022,
        n_areas=150,
    )


WHY = Unavailable("Six schools are too few.")


def make_unavailable() -> AreasResults:
    """Return an evaluation in which nothing could be estimated."""
    whole = make_evaluation()
    lost = dict.fromkeys(
        (
            "estimate",
            "interval",
            "n_areas",
            "n_as_large",
            "p_value",
            "placebo_estimate",
            "contrast_estimate",
            "contrast_p",
            "lead",
            "adjusted",
        ),
        WHY,
    )
    size = EffectSize(
        hedges_g=WHY,
        hedges_g_interval=WHY,
        sd_used=WHY,
        sd_name="none",
        hedges_g_conditional=WHY,
        hedges_g_conditional_interval=WHY,
        sd_conditional=WHY,
        sd_conditional_name="none",
        hedges_g_school=WHY,
        school_sd=WHY,
        months=None,
    )
    effects = tuple(
        replace(
            effect,
            estimate=WHY,
            std_error=WHY,
            interval=WHY,
            p_value=WHY,
            p_value_one_sided=WHY,
            permutation=None,
            effect_size=size if effect.effect_size else None,
        )
        for effect in whole.effects
    )
    return replace(
        whole,
        headline=replace(whole.headline, n_schools=6, **lost),
        effects=effects,
        distributions=(),
        trajectories=whole.trajectories,
        detectable=(DetectableEffect(outcome="READPROG", at_design=WHY, realised=WHY, n_areas=0),),
        cost=None,
        claims=(),
    )
