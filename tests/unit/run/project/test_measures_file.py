"""Measures beside a project: read whole, refused whole, with lines, and known while that project is at hand."""

import shutil

import pytest

from evalkit.core.errors import ProjectError
from evalkit.data.measures import MEASURES, beside, measure, measure_of, use_beside
from evalkit.diagnose.project.describe import measure_note
from evalkit.run.outputs.content_key import project_files
from evalkit.run.project.measures_file import load_measures
from evalkit.run.project.project_file import load_project
from tests.conftest import ROOT

ONE = """\
schema_version: 2
breaks:
  counted_anew:
    before: 2017
    after: 2018
    kind: year-common
    sentence: "Counted anew in 2018."
measures:
  - code: PTREAD_AT
    label: Reading, absent
    unit: per cent of pupils
    direction: lower is better
    key_stage: KS2
    years: [2016, 2017, 2018, 2019]
    breaks: [counted_anew, progress_cap]
    sd: {stated: 20}
    source: "DfE, performance tables"
"""
BAD = """\
schema_version: 1
brakes: {}
breaks:
  b: {before: 2017, kind: level}
  c: {before: 2018, after: 2017, kind: level, sentence: x}
measures:
  - {code: READPROG, label: A, unit: b, direction: up, key_stage: KS3, years: [2017, 2016], sd: {share: A}, source: c}
  - {code: NEW, label: 3, unit: b, direcion: higher is better, years: [], sd: {stated: 1}, source: c}
  - {code: A, label: A, unit: b, direction: higher is better, key_stage: KS2, years: [2017], sd: 4, source: c}
  - {code: OTHER, label: A, unit: b, direction: higher is better, key_stage: KS2, years: [2017], sd: {stated: -3},
     source: c}
  - just a text
"""
KNOWSLEY = ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml"


@pytest.fixture(autouse=True)
def nothing_beside():
    yield
    use_beside({})


@pytest.fixture
def project_file(tmp_path):
    text = KNOWSLEY.read_text(encoding="utf-8").replace("- measure: WRITPROG", "- measure: PTREAD_AT")
    path = tmp_path / "knowsley-ssif" / "project.yml"
    path.parent.mkdir()
    for file in KNOWSLEY.parent.iterdir():
        if file.is_file():
            shutil.copy(file, path.parent / file.name)
    (path.parent / "claims.yml").unlink(missing_ok=True)
    path.write_text("\n".join(line for line in text.splitlines() if not line.startswith("claims:")), encoding="utf-8")
    return path


def test_an_outcome_may_name_a_measure_of_the_file_beside_the_project(project_file):
    with pytest.raises(ProjectError, match="'PTREAD_AT' is not a known measure"):
        load_project(project_file)
    (project_file.parent / "measures.yml").write_text(ONE, encoding="utf-8")
    project = load_project(project_file)
    known = measure_of(project, "PTREAD_AT")
    assert (known.label, known.direction, known.sd.value) == ("Reading, absent", "lower is better", 20)
    assert [one.after for one in known.breaks] == [2018, 2018]
    assert measure_note(project, known).sentences[0] == "Counted anew in 2018."
    assert measure_note(project, known).sentences[-1].endswith("measures.yml. Source: DfE, performance tables.")
    assert "measures.yml" in project_files(project_file)
    # years and breaks of it are held against the project as those of the kit's measures are
    (project_file.parent / "measures.yml").write_text(ONE.replace("[2016, 2017, ", "[2017, "), encoding="utf-8")
    with pytest.raises(ProjectError, match="this kit does not know PTREAD_AT for 2016"):
        load_project(project_file)
    (project_file.parent / "measures.yml").write_text(ONE.replace("year-common", "level"), encoding="utf-8")
    with pytest.raises(Exception, match="PTREAD_AT cannot be followed from 2016 to 2019: Counted anew"):
        load_project(project_file)


def test_another_project_knows_none_of_it(project_file):
    (project_file.parent / "measures.yml").write_text(ONE, encoding="utf-8")
    load_project(project_file)
    assert [one.code for one in beside()] == ["PTREAD_AT"]
    assert measure("PTREAD_AT") in MEASURES.values()
    load_project(KNOWSLEY)
    assert not beside()
    assert "PTREAD_AT" not in MEASURES


def test_everything_that_is_wrong_is_told_at_once_with_its_line(tmp_path):
    path = tmp_path / "measures.yml"
    path.write_text(BAD, encoding="utf-8")
    with pytest.raises(ProjectError) as refused:
        load_measures(path)
    said = str(refused.value)
    for part in (
        "brakes (line 2): there is no such key here. Did you mean 'breaks'?",
        "schema_version (line 1): write `schema_version: 2`",
        "breaks.b (line 4): after and sentence must be given",
        "breaks.c (line 5): a break lies between a summer and a later one, not 2018 and 2017",
        "measures[1].code (line 7): READPROG is a measure of the kit",
        "measures[1].key_stage (line 7): expected KS2, KS4, ABS or AREA, found 'KS3'",
        "measures[1].years (line 7): expected summers in order",
        "measures[1].direction (line 7): expected higher is better or lower is better, found 'up'",
        "measures[2].direcion (line 8): there is no such key here. Did you mean 'direction'?",
        "measures[2] (line 8): direction, key_stage and years must be given",
        "measures[2].label (line 8): expected text, found 3",
        "measures[3] (line 9): `sd` is one key with its value",
        "measures[4] (line 10): a stated standard deviation is a number above 0",
        "measures[5] (line 12): expected keys with values, found 'just a text'",
    ):
        assert part in said, part


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- 1\n", "expected keys with values"),
        ("schema_version: 2\nmeasures: []\n", "expected a list of measures"),
        ("schema_version: 2\nmeasures: !!python/object:os.system []\n", "the tag"),
        (ONE + ONE.partition("measures:\n")[2], "PTREAD_AT stands here a second time"),
        (ONE.replace("[counted_anew, progress_cap]", "[counted_anw]"), "there is no break 'counted_anw'"),
        (ONE.replace("code: PTREAD_AT", "code: 'PT READ'"), "a code is the name of its column"),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path, text, said):
    path = tmp_path / "measures.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProjectError, match=said):
        load_measures(path)


def test_a_code_of_the_kit_stays_the_kits():
    with pytest.raises(ValueError, match="READPROG is a measure of the kit"):
        use_beside({"READPROG": MEASURES["READPROG"]})
