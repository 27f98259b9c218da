"""What stands once at the top of everything that a project gives: who answers for it, when, for whom, of what data."""

from __future__ import annotations

from evalkit.core.formats import as_sentence, count
from evalkit.core.manifest import DataKind
from evalkit.core.project import Project
from evalkit.core.project_parts import Author
from evalkit.core.words import listed
from evalkit.data.published.list_rule import rule_words
from evalkit.design.analysis_plan import AnalysisPlan, ProjectDesign
from evalkit.design.project.plan import DesignStage
from evalkit.diagnose.evaluation import AnalysisResults, Evaluation
from evalkit.diagnose.project.evaluation import AreasResults
from evalkit.report.border.parts import DRAWN_MARK, Prose
from evalkit.report.kinds.kind_module import said_by_kind
from evalkit.report.words.names import design_of, units_counted, units_of
from evalkit.report.words.plan_kept import lock_sentence
from evalkit.report.words.statements import NOT_PRE_REGISTERED, day_text, synthetic_banner, whom

NO_AUTHORS = "No authors are named."
DESCRIBES = "This report describes what is known of {}: it says what changed, and of no number why."
"""Whom a report is about where its primary analysis describes and its kind has no words of its own."""
LOCK_IN_SUMMARY = "Whether the plan was locked before outcomes were read, what was done otherwise: see the summary."
"""What a part says that knows nothing of the lock: only the whole evaluation does."""
Whole = Evaluation | ProjectDesign
OfProject = Whole | AnalysisPlan | AnalysisResults | AreasResults | DesignStage


def front_matter(of: OfProject) -> Prose:
    """Return what stands at the top of every document: made-up data or lists, whom it is about, what was planned."""
    if isinstance(of, AreasResults | DesignStage):
        return Prose((*_marked(of.project, design_of(of).data_kind), whom(of), LOCK_IN_SUMMARY), "face")
    if isinstance(of, AnalysisPlan | AnalysisResults):
        plan = of if isinstance(of, AnalysisPlan) else of.plan
        return Prose((*_drawn(plan.project), said_by_kind("whom", plan, _whom), LOCK_IN_SUMMARY), "face")
    return Prose((*_marked(of.project, of.data_kind), *face_of(of)), "face")


def banner(of: Whole) -> str:
    """Return what a reader must know of made-up data or lists before anything else, empty where nothing is made up."""
    return " ".join(_marked(of.project, of.data_kind))


def face_whom(of: Whole) -> str:
    """Return whom the evaluation is about, in the words of the kind of its primary analysis."""
    said: str = said_by_kind("whom", _design(of).primary, _whom)
    return said


def face_of(of: Whole) -> tuple[str, ...]:
    """Return the sentences that a reader of the whole meets first."""
    return said_by_kind("whom", _design(of).primary, _whom), _chosen(of)


def _chosen(of: Whole) -> str:
    """Return when choices were made: by the lock of the plan, where there is one."""
    if not isinstance(of, Evaluation):
        return LOCK_IN_SUMMARY
    return _registered(of.project) if of.kept.lock is None else lock_sentence(of.kept)


def _registered(project: Project) -> str:
    """Return that nothing was registered; a project of tables of its own alone may have chosen before it had them."""
    return NOT_PRE_REGISTERED if project.reads_published else "The design was not pre-registered."


def byline(project: Project) -> tuple[str, ...]:
    """Return who answers for the report, its date and who asked for it, a line for each."""
    authors = "; ".join(map(_author, project.authors))
    return tuple(
        line
        for line in (
            f"By {authors}" if authors else NO_AUTHORS,
            project.date,
            f"Commissioned by {project.commissioner}" if project.commissioner else "",
        )
        if line
    )


def authors(of: Whole) -> Prose:
    """Return who answers for the report, its date and who asked for it."""
    return Prose(tuple(map(as_sentence, byline(of.project))))


def question(of: Whole) -> Prose:
    """Return the evaluation question."""
    return Prose((as_sentence(of.project.question),))


def _author(author: Author) -> str:
    where = f" ({author.organisation})" if author.organisation else ""
    return f"{author.name}{where}{f', {author.contact}' if author.contact else ''}"


def _design(of: Whole) -> ProjectDesign:
    return of.design if isinstance(of, Evaluation) else of


def _marked(project: Project, data_kind: DataKind) -> tuple[str, ...]:
    synthetic = (synthetic_banner(project.programme.place),) if data_kind == "synthetic" else ()
    return *synthetic, *_drawn(project)


def _drawn(project: Project) -> tuple[str, ...]:
    draw = project.participants.draw
    if draw is None:
        return ()
    return (
        f"{DRAWN_MARK}. The {count(draw.n)} schools treated here were drawn at random among those of "
        f"{_area(draw.of)} for this example: nothing here says anything of a programme or of a school that took part.",
    )


def _area(code: int | str) -> str:
    return code if isinstance(code, str) else f"area {code}"


def _whom(plan: AnalysisPlan) -> str:
    """Return whom an analysis is about where its kind has no words of its own."""
    if plan.analysis.describes:
        return DESCRIBES.format(plan.project.programme.place)
    project, units = plan.project, units_of(plan.project)
    if project.participants.is_listed:
        place = project.programme.place
        listed_how = "" if project.participants.rule is None else f" ({rule_words(project.participants.rule)})"
        return (
            f"This report is about the {units} listed as having taken part{listed_how}, not about the whole of {place}."
        )
    areas = listed(list(map(_area, project.participants.areas)), 6)
    return (
        f"This report evaluates whole areas ({areas}): every eligible one of their {units} counts, whether or not it "
        f"took part. {project.participants.whole_area_reason}"
    )


def programme(of: Whole) -> Prose:
    """Return what was done, where, when and for whom, in a short paragraph."""
    facts = of.project.programme
    ran = (
        f"{facts.name} ran in {facts.place} from {day_text(facts.start)} to {day_text(facts.end)}"
        f"{f', paid for by {facts.funder}' if facts.funder else ''}."
    )
    aim = f"Its aim: {facts.aim.rstrip('.')}." if facts.aim else ""
    return Prose(tuple(part for part in (ran, aim, facts.description) if part))


def sources(of: Whole) -> Prose:
    """Return what is known of who took part, and the documents that describe the programme."""
    project = of.project
    known = project.participants.known_participants.strip()
    named = "; ".join(f"{one.title} ({one.url})" if one.url else one.title for one in project.programme.sources)
    told = (
        f"As the project file says: {as_sentence(known)}" if known else "",
        f"Sources: {as_sentence(named)}" if named else "",
    )
    return Prose(tuple(sentence for sentence in told if sentence))


def _plans(of: OfProject) -> tuple[AnalysisPlan, ...]:
    """Return the plans of the analyses that are spoken of."""
    if isinstance(of, Evaluation):
        return of.design.plans
    if isinstance(of, ProjectDesign):
        return of.plans
    return (of,) if isinstance(of, AnalysisPlan) else (of.plan,) if isinstance(of, AnalysisResults) else ()


def _counts_shown(of: OfProject) -> tuple[str, ...]:
    if of.project.only_describes:
        return ("Every other count is shown. No school and no person is named.",)
    if not of.project.reads_published:
        units = units_counted(of.project, _plans(of))
        named = "The areas are named, and nobody in them." if units == "areas" else "None is named."
        return (f"Counts of the {units} in the project's own tables are shown. {named}",)
    return (
        "Counts of schools come from published files and are shown. No school is named, and no record of a pupil was "
        "read.",
        "Small cohorts are already suppressed in the published files; no attempt is made to undo that.",
    )


def disclosure(of: OfProject) -> Prose:
    """Return what is withheld and why: small counts of pupils, and whatever would tell them."""
    threshold = of.project.disclosure.threshold
    return Prose(
        (
            f"A count of fewer than {threshold} pupils is withheld everywhere: on these pages, in the "
            "tables as CSV, in "
            "the figures' data and in results.json; so is any other count from which it could be worked out, and any "
            "figure derived from it.",
            *_counts_shown(of),
        )
    )
