"""What a report withholds stands in none of the files of a run: found by its value, in full and as it is printed."""

import csv
import re
import shutil
import zipfile
from dataclasses import replace
from math import isfinite

import pytest
from scipy import special

from evalkit.core.formats import interval_text
from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.intake import read_baseline, read_records
from evalkit.data.sources import find_sources
from evalkit.design.plan import make_design
from evalkit.estimate.outcome_effects import estimate_outcome
from evalkit.run.project_file import load_project
from tests.conftest import ROOT

KNOWSLEY = ROOT / "data" / "projects" / "knowsley-ssif"
FEW = 4


def urns(england, name, score):
    table = england / "performance-tables" / name
    with table.open(encoding="utf-8-sig", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["LEA"] == "340" and row["RECTYPE"] == "1"]
    return [row["URN"] for row in rows if row[score] not in ("", None, "SUPP", "NA", "NE", "NP", "LOWCOV")]


@pytest.fixture(scope="module")
def folder(synthetic_england, tmp_path_factory):
    """A project of 26 primary schools of one area, and of four secondary schools, which are too few for an estimate."""
    made = tmp_path_factory.mktemp("projects") / "listed-in-one"
    shutil.copytree(KNOWSLEY, made)
    primary = urns(synthetic_england, "ks2/2018-2019_england_ks2final.csv", "READPROG")[:26]
    secondary = urns(synthetic_england, "ks4/2018-2019_england_ks4final.csv", "P8MEA")[:FEW]
    assert len(secondary) == FEW
    (made / "participants.csv").write_text("URN\n" + "\n".join(primary + secondary) + "\n", encoding="utf-8")
    text = (made / "project.yml").read_text(encoding="utf-8").replace("slug: knowsley-ssif", "slug: listed-in-one")
    rule = "rule: local_authority\n  local_authority: 340"
    text = text.replace(rule, "rule: file\n  file: participants.csv")
    (made / "project.yml").write_text(text, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def files(outputs, folder, synthetic_england):
    """Return the words of every file of the run, by name."""
    made = outputs("listed-in-one", str(folder / "project.yml"), "--data", str(synthetic_england))
    return {str(path.relative_to(made)): words(path) for path in sorted(made.rglob("*")) if path.is_file()}


def words(path):
    if path.suffix == ".docx":
        with zipfile.ZipFile(path) as parts:
            text = " ".join(parts.read(name).decode() for name in parts.namelist() if name.endswith(".xml"))
        return re.sub(r"<[^>]+>", "", text)
    return path.read_bytes().decode("utf-8", errors="replace")


@pytest.fixture(scope="module")
def loose(folder, synthetic_england):
    """Return the effects on both outcomes, those of too few schools too."""
    project, sources = load_project(folder / "project.yml"), find_sources(synthetic_england)
    project = replace(project, pool=replace(project.pool, minimum_treated=1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("evalkit.design.plan._matches", lambda *arguments: {})
        locked = make_design(project, read_baseline(project, folder, sources))
    records = read_records(project, folder, sources)
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
