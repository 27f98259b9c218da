"""An analysis made again for the years while the programme ran and for each after its end: does the effect last?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from evalkit.core.draws import SERIAL, Executor
from evalkit.core.errors import InputError
from evalkit.core.project import Analysis, Exposure, Project
from evalkit.core.quantities import Unavailable
from evalkit.data.published.project_data import ProjectData
from evalkit.design.analysis_plan import AnalysisPlan
from evalkit.diagnose.evaluation import WHILE_IT_RAN, AnalysisResults, Interaction, LastingResults, SubgroupEffect
from evalkit.estimate.areas.together import Difference, PlacedStatistic, Together, TogetherOptions, place_together
from evalkit.estimate.effect import Effect

MakePlan = Callable[[Project, Analysis, ProjectData], AnalysisPlan]
MakeResults = Callable[[AnalysisPlan, ProjectData], AnalysisResults]
Place = Callable[[AnalysisPlan, str, ProjectData], PlacedStatistic | Unavailable]

NONE_LATER: Final = (
    "No year after the programme's last day ({end}) is among those that are compared, so whether an effect lasts is "
    "not known."
)
NONE_DURING: Final = (
    "Every year that is compared came after the programme's last day ({end}), so there is none while it ran to set it "
    "against."
)
EVERY_YEAR: Final = Unavailable(
    "This kind of analysis follows every year from the start on: its own tables give the effect of each."
)


def lasting_results(
    results: AnalysisResults, intake: ProjectData, make: MakePlan, verbs: tuple[MakeResults, Place],
    executor: Executor = SERIAL,
) -> LastingResults | Unavailable:  # fmt: skip
    """Return an analysis for the years while the programme ran and for each year after its end, and how they differ.

    `intake` holds every year; `make` is the kind's plan, which sees those before alone, and `verbs` are its estimate
    and its statistic as what can be placed. Every difference is found in the same areas or sets.
    """
    project, analysis = results.project, results.analysis
    during, after = project.parted_by_end(analysis)
    end = f"{project.programme.end:%-d %B %Y}"
    if not after:
        return Unavailable(NONE_LATER.format(end=end))
    if not during:
        return Unavailable(NONE_DURING.format(end=end))
    spans = (during, *((year,) for year in after))
    try:
        plans = [make(*_of_years(project, analysis, span), intake) for span in spans]
    except InputError as problem:
        return Unavailable(str(problem))
    estimate, place = verbs
    found = [estimate(plan, intake) for plan in plans]
    words = [WHILE_IT_RAN, *map(str, after)]
    codes = [one.code for one in plans[0].project.outcomes]
    return LastingResults(
        during=during,
        after=after,
        effects=tuple(
            SubgroupEffect(outcome=code, words=said, effect=_main(one, code), common=None)
            for code in codes
            for said, one in zip(words, found, strict=True)
        ),
        differences=tuple(
            Interaction(outcome=code, first=words[at], second=WHILE_IT_RAN, difference=difference)
            for code in codes
            for at, difference in enumerate(_differences(code, plans, intake, place, executor), start=1)
        ),
    )


def _of_years(project: Project, analysis: Analysis, post: tuple[int, ...]) -> tuple[Project, Analysis]:
    """Return a project and its analysis with other years after, and without what is asked beside the effect."""
    exposure: Exposure = replace(project.exposure_of(analysis), post=post)
    own = replace(analysis, by=(), families=(), exposure=None if analysis.exposure is None else exposure)
    return replace(project, exposure=exposure, contrasts=(), by=(), families=(), choices=None), own


def _main(results: AnalysisResults, code: str) -> Effect | Unavailable:
    found = results.main(code)
    return Unavailable("The analysis gives no effect on it.") if found is None else found


def _differences(
    code: str, plans: Sequence[AnalysisPlan], intake: ProjectData, place: Place, executor: Executor
) -> list[Difference]:
    """Return the effect in each later year less that while the programme ran, placed among the same elsewhere."""
    placed = [place(plan, code, intake) for plan in plans]
    together: Together | Unavailable
    lacking = next((one for one in placed if isinstance(one, Unavailable)), None)
    if lacking is not None:
        together = lacking
    else:
        project = plans[0].project
        options = TogetherOptions(level=project.inference.level, seed=project.seed)
        together = place_together([one for one in placed if not isinstance(one, Unavailable)], options, executor)
    if isinstance(together, Unavailable):
        return [Difference.unavailable(together)] * (len(plans) - 1)
    return [together.difference(at, 0) for at in range(1, len(plans))]
