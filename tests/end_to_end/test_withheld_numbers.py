"""What a report withholds stands in none of the files of a run: found by its value, in full and as it is printed."""

import re
import zipfile
from dataclasses import replace
from math import isfinite

import pytest
from scipy import special

from evalkit.core.formats import interval_text
from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.published.project_data import read_baseline, read_records
from evalkit.data.published.sources import find_sources
from evalkit.design.project.plan import make_design
from evalkit.estimate.areas.outcome_effects import estimate_outcome
from evalkit.run.project.project_file import load_project


@pytest.fixture(scope="module")
def files(listed_run):
    """Return the words of every file of the run, by name."""
    made = listed_run
    return {str(path.relative_to(made)): words(path) for path in sorted(made.rglob("*")) if path.is_file()}


def words(path):
    if path.suffix == ".docx":
        with zipfile.ZipFile(path) as parts:
            text = " ".join(parts.read(name).decode() for name in parts.namelist() if name.endswith(".xml"))
        return re.sub(r"<[^>]+>", "", text)
    return path.read_bytes().decode("utf-8", errors="replace")


@pytest.fixture(scope="module")
def loose(listed_project, synthetic_england):
    """Return the effects on both outcomes, those of too few schools too."""
    project, sources = load_project(listed_project / "project.yml"), find_sources(synthetic_england)
    project = replace(project, pool=replace(project.pool, minimum_treated=1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("evalkit.design.project.plan._matches", lambda *arguments: {})
        locked = make_design(project, read_baseline(project, listed_project, sources))
    records = read_records(project, listed_project, sources)
    return {
        code: estimate_outcome(project, records, locked.outcomes[code], "secondary").effects
        for code in ("READPROG", "P8MEA")
    }


def in_full(number):
    """Return a number's digits to the sixth decimal, as every longer way of writing it begins."""
    return f"{abs(number):.12f}"[:-6]


def found_in(files, texts):
    return sorted({name for name, text in files.items() for one in texts if one in text})


def test_an_estimate_of_too_few_schools_stands_in_no_file(files, loose):
    withheld = [e.estimate for e in loose["P8MEA"] if not isinstance(e.estimate, Unavailable)]
    withheld += [e.std_error for e in loose["P8MEA"] if not isinstance(e.std_error, Unavailable)]
    assert len(withheld) >= 4
    assert any("too few for an estimate" in text for text in files.values())
    assert found_in(files, [in_full(number) for number in withheld if isfinite(number)]) == []


def test_no_interval_or_p_value_of_listed_schools_in_one_area_stands_in_any_file(files, loose):
    main = [e for e in loose["READPROG"] if e.cluster_level == "school" and isinstance(e.std_error, float)]
    assert found_in(files, [in_full(main[0].estimate)])  # the estimate itself is told
    for effect in main:
        reach = 1.959963984540054 * effect.std_error
        naive = Interval(effect.estimate - reach, effect.estimate + reach, 0.95)
        p = float(2 * special.ndtr(-abs(effect.estimate) / effect.std_error))
        assert found_in(files, [in_full(naive.lower), in_full(naive.upper), interval_text(naive)]) == []
        if p > 1e-4:
            assert found_in(files, [in_full(p)]) == []
