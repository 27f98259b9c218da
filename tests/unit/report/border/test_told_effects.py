"""What is withheld of effects stays withheld, and telling what is told already changes nothing."""

from dataclasses import replace

from evalkit.core.quantities import Unavailable
from evalkit.core.sentence import Sentence, count
from evalkit.data.panel import Panel
from evalkit.data.roles import Roles
from evalkit.design.panel.staggered import StaggeredOptions, staggered_design
from evalkit.estimate.staggered.group_time import group_time_effects
from evalkit.estimate.staggered.results import staggered_results
from evalkit.report.border.told_effects import REMEDY, told_effects
from tests.did_command import simulated

ROLES = Roles(unit="unit", period="year", outcome="y", cohort="cohort")
DESIGN = staggered_design(Panel.from_frame(simulated(60), ROLES), StaggeredOptions())
NOTE = Sentence("{n} lack a period.", n=count(4, "people", "pupil"))


def few():
    """Return results in which one cell rests on three people, and another has a note that counts four."""
    results = staggered_results(group_time_effects(DESIGN))
    first, second, *others = (replace(cell, fewest_people=40) for cell in results.group_time)
    cells = (replace(first, fewest_people=3), replace(second, note=NOTE), *others)
    return replace(results, group_time=cells)


def test_a_cell_that_rests_on_few_is_withheld_and_a_note_keeps_its_words():
    told = told_effects(few())
    assert isinstance(told.group_time[0].estimate, Unavailable)
    assert told.group_time[1].note == "Fewer than 10 pupils lack a period."
    assert told.notes.count(REMEDY) == 1


def test_telling_twice_is_telling_once():
    once = told_effects(few())
    assert told_effects(once) is once
    schools = staggered_results(group_time_effects(DESIGN))
    assert told_effects(schools) is schools
