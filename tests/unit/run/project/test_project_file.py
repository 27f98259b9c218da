"""A project file is plain data, checked whole, and every complaint is one a person can act on."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from evalkit.core.errors import DesignError, InputError, ProjectError
from evalkit.run.project.complaints import known_keys
from evalkit.run.project.plain_yaml import MOST_BYTES
from evalkit.run.project.project_file import (
    claims_of,
    claims_schema,
    load_claims,
    load_project,
    project_data,
    project_schema,
    schema_text,
)

ROOT = Path(__file__).resolve().parents[4]
PROJECTS = ROOT / "data" / "projects"
KNOWSLEY = PROJECTS / "knowsley-ssif" / "project.yml"
TEXT = KNOWSLEY.read_text(encoding="utf-8")
SECOND = "  - name: second\n    kind: areas\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "claims.yml").write_text((KNOWSLEY.parent / "claims.yml").read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def changed(folder: Path, old: str, new: str) -> Path:
    """Return a copy of the Knowsley project file in which one text is replaced."""
    assert old in TEXT
    path = folder / "project.yml"
    path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    return path


def refusal(folder: Path, old: str, new: str, kind: type[Exception] = ProjectError) -> str:
    with pytest.raises(kind) as caught:
        load_project(changed(folder, old, new))
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_the_knowsley_project_says_what_was_decided():
    project = load_project(KNOWSLEY)
    assert [(o.measure, o.role) for o in project.outcomes] == [
        ("READPROG", "primary"),
        ("WRITPROG", "secondary"),
        ("MATPROG", "placebo"),
        ("P8MEA", "secondary"),
    ]
    assert [(c.measure, c.minus) for c in project.contrasts] == [("READPROG", "MATPROG")]
    exposure = project.exposure
    assert (exposure.pre, exposure.partial, exposure.post) == ((2016, 2017), (2018,), (2019,))
    assert (project.pool.neighbours, project.pool.alternative_neighbours) == ("april_2021", "may_2025")
    assert project.participants.areas == (340,)
    assert [(one.name, one.kind, one.primary) for one in project.analyses] == [("main", "areas", True)]
    assert project.cost is not None
    assert (project.cost.total_gbp, project.cost.schools) == (744103, 29)
    assert project.inference.level == 0.95


@pytest.mark.parametrize("month", range(1, 13))
def test_what_is_before_follows_from_the_day_of_the_tests(folder, month):
    # Tests stand for 15 May. A start of 1 January to 1 May 2018 comes before those of 2018, one from 1 June after them.
    first = 2018 if month <= 5 else 2019
    start = f"start: 2018-{month:02}-01"
    years = {2018: "pre: [2016, 2017]\n  partial: [2018]", 2019: "pre: [2016, 2017, 2018]\n  partial: []"}
    path = changed(folder, "start: 2018-02-01", start)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(years[2018], years[first]), encoding="utf-8")
    assert load_project(path).exposure.pre[-1] == first - 1
    path.write_text(text.replace(years[2018], years[4037 - first]), encoding="utf-8")
    with pytest.raises(DesignError, match="the tests of 2018 came"):
        load_project(path)


def test_every_knowsley_claim_has_a_measure_or_a_reason():
    claims = claims_of(load_project(KNOWSLEY), KNOWSLEY.parent)
    assert [claim.measure for claim in claims if claim.measure] == ["READPROG"]
    assert all(claim.reason for claim in claims if claim.measure is None)


def test_the_knowsley_claims_are_in_the_words_of_their_source(shared_data):
    source = shared_data.parent / "programmes" / "knowsley-ssif-pathways-to-success.txt"
    if not source.exists():
        pytest.skip("the case study is not at hand")
    words = " ".join(source.read_text(encoding="utf-8").split())
    claims = claims_of(load_project(KNOWSLEY), KNOWSLEY.parent)
    assert [claim.quote for claim in claims if claim.quote not in words] == []
    assert claims[0].part == "that the programme caused it"
    assert claims[0].measure is None
    assert all(claim.note for claim in claims if "impact on classroom practice" in claim.quote)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("seed:", "sede:", "sede (line"),
        ("exact_region: true", "exact_regoin: true", "Did you mean 'exact_region'?"),
        (
            "start: 2018-02-01",
            "start: soon",
            "programme.start (line 17): expected a date like 2018-02-01, found 'soon'",
        ),
        ("start: 2018-02-01", "start: 2018-02-30", "expected a date like 2018-02-01"),
        ("ratio: 5", "ratio: '5'", "matching.ratio (line 72): expected a whole number, found '5'"),
        ("ratio: 5", "ratio: 5.5", "expected a whole number"),
        ("ratio: 5", "ratio: 51", "expected a whole number from 1 to 50, found 51"),
        ("ratio: 5", "ratio: true", "expected a whole number, found true"),
        ("exact_region: true", "exact_region: 1", "expected true or false, found 1"),
        ("level: 0.95", "level: 95", "between 0.5 and 1"),
        ("level: 0.95", "level: .nan", "expected a number"),
        ("level: 0.95", "level: 1e999", "not a finite number"),
        ("role: primary", "role: primry", "Did you mean 'primary'?"),
        ("role: primary", "role: secondary", "exactly one outcome has the role `primary`; found none"),
        ("role: placebo", "role: primary", "found READPROG and MATPROG"),
        ("measure: WRITPROG", "measure: READPROG", "READPROG is listed twice"),
        ("measure: WRITPROG", "measure: WRITPOG", "Did you mean 'WRITPROG'?"),
        ("minus: MATPROG", "minus: ATT8SCR", "'ATT8SCR' is not among the outcomes"),
        ("minus: MATPROG", "minus: READPROG", "less itself"),
        ("post: [2019]", "post: [2020]", "no national tests or exams in the summers of 2020 and 2021"),
        ("pre: [2016, 2017]", "pre: [2015, 2016]", "does not know"),
        ("pre: [2016, 2017]", "pre: 2016", "expected a list, found 2016"),
        ("partial: [2018]", "partial: [2017]", "2017 is named more than once"),
        ("slug: knowsley-ssif", "slug: ../../elsewhere", "cannot name a folder"),
        ("slug: knowsley-ssif", "slug: con", "cannot name a folder"),
        ("slug: knowsley-ssif", "slug: Knowsley", "cannot name a folder"),
        ("areas: [340]", "areas: [34]", "three digits"),
        ("areas: [340]", "areas: [340, 340]", "name each area once"),
        ("areas: [340]", "areas: []", "by one of `file`, `areas` and `draw`; found none of them"),
        ("areas: [340]", "areas: [340]\n  file: claims.yml", "found file and areas"),
        ("areas: [340]", "areas: [340]\n  trust: United Learning", "a trust is named of a `file`"),
        ("areas: [340]", "draw: {n: 1, of: 340}", "a made-up list has at least 2 schools"),
        ("areas: [340]", "draw: {n: 5, of: 34}", "three digits"),
        (
            "areas: [340]",
            "areas: [340]\n  rule: {lowest: 0.2, of: READPROGS, years: [2016]}",
            "Did you mean 'READPROG'",
        ),
        ("seed:", "families: [{name: a, outcomes: [READPROG]}]\nseed:", "fewer than two effects are in it"),
        ("seed:", "families: [{name: a, outcomes: [READPROG, x]}]\nseed:", "'x' is not among the outcomes"),
        ("seed:", "families: [{name: a, outcomes: [READPROG, WRITPROG], analyses: [b]}]\nseed:", "is called 'b'"),
        ("seed:", "families: [{name: a, outcomes: [READPROG, READPROG]}]\nseed:", "or twice in one"),
        ("seed:", "choices: {vary: {pool.neighbour: [a, b]}}\nseed:", "no key `neighbour`. Did you mean"),
        ("seed:", "plan: plan.yml\nseed:", "`plan` is reserved for a later version"),
        ("    primary: true\n", "    primary: true\n    by: [disadvantage]\n", "Did you mean 'disadvantaged'?"),
        (
            "    primary: true\n",
            "    primary: true\n    by: disadvantaged\n",
            "not known for 2016; summers with all of them",
        ),
        ("seed:", "by: phase\nseed:", "are of one phase"),
        ("    primary: true\n", "", "exactly one analysis has `primary: true`, and the headline is its; found none"),
        ("    primary: true\n", f"    primary: true\n{SECOND}    primary: true\n", "found 'main' and 'second'"),
        ("    primary: true\n", "    primary: true\n" + SECOND.replace("second", "main"), "are called 'main'"),
        ("- name: main", "- name: Main One", "'Main One' cannot name an analysis"),
        (
            "    primary: true\n",
            "    primary: true\n    outcomes: [WRITPROG]\n",
            "must take the primary outcome, READPROG",
        ),
        ("    primary: true\n", "    primary: true\n    outcomes: [READPROGG]\n", "Did you mean 'READPROG'?"),
        ("    primary: true\n", "    primary: true\n    poool: {}\n", "has no such key. Did you mean 'pool'?"),
        (
            "    primary: true\n",
            "    primary: true\n    options: 3\n",
            "an analysis of the kind `areas` has no such key",
        ),
        ("    primary: true\n", "    primary: true\n    uses_exposure: false\n", "`areas` has no such key"),
        (
            "    primary: true\n",
            "    primary: true\n    exposure: {pre: [2018], post: [2019]}\n",
            "analyses[1].exposure.pre",
        ),
        ("kind: areas", "kind: aeras", "'aeras' is not a kind of analysis this kit knows. Did you mean 'areas'?"),
        ("measure: WRITPROG", "measure: WRITPROG\n    label: Writing", "`label` is for columns of own tables"),
        ("measure: WRITPROG", "table: scores\n    column: score", "there is no table 'scores' under `data.tables`"),
        ("measure: WRITPROG", "table: scores", "`column` is missing"),
        ("  - measure: WRITPROG\n    role", "  - role", "name a published measure as `measure`, or a `table`"),
        ("alternative_neighbours: may_2025", "alternative_neighbours: april_2021", "name the other list"),
        ("exclude_areas: []", "exclude_areas: [340]", "340 is a treated area"),
        ("threshold: 6", "threshold: 0", "from 1 to 1000, found 0"),
        ("total_gbp: 744103", "total_gbp: -1", "expected pounds above 0"),
        ("seed: 20180201", "seed: -1", "found -1"),
        ("claims: claims.yml", "claims: ../claims.yml", "leads out of the project's folder"),
        ("claims: claims.yml", "claims: /claims.yml", "leads out of the project's folder"),
        ("claims: claims.yml", "claims: 'C:\\claims.yml'", "leads out of the project's folder"),
        ("claims: claims.yml", "claims: claim.yml", "'claim.yml' is missing"),
        ("seed: 20180201", "seed: !!python/object/apply:os.getcwd []", "is refused: a project file is plain data"),
        ("seed: 20180201", "seed: !!int 3", "is refused"),
        ("seed: 20180201", "seed: !mine 3", "the tag !mine is refused"),
        ("seed: 20180201", "seed: ! 3", "is refused"),
        ("seed: 20180201", "seed: !!binary aGk=", "is refused"),
        ("seed: 20180201", "seed: &here 3", "anchors and aliases"),
        ("seed: 20180201", "seed: *there", "anchors and aliases"),
        ("seed: 20180201", "seed: 3\nseed: 4", "'seed' stands here a second time"),
        ("seed: 20180201", "seed: 3\n? [a, b]\n: 4", "a key must be a word"),
        ("seed: 20180201", "seed: 3\n2016: 4", "a key must be a word"),
        ("seed: 20180201", 'seed: "\\x07"', "control character"),
        ("seed: 20180201", "seed: [1", "line 10"),
        ("seed: 20180201", "seed: " + "[" * 5000, "nested too deeply"),
        ("title:", "- title:", "line 6"),
        ("schema_version: 2", "schema_version: 3", "schema_version (line 4): expected 2, found 3"),
        ("schema_version: 2", "schema_version: 1", "`evalkit migrate FILE` prints it as it should be now"),
        ("start: 2018-02-01", "start: 2019-08-01", "ends (2019-07-31) before it starts"),
    ],
)
def test_a_file_that_asks_for_what_cannot_be_understood_is_refused(folder, old, new, expected):
    assert expected in refusal(folder, old, new)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("pre: [2016, 2017]", "pre: []", "there is no year before the programme, and a change needs one"),
        ("post: [2019]", "post: []", "no year after the programme"),
        ("start: 2018-02-01", "start: 2016-02-01", "the tests of 2016 came after the programme began"),
        ("start: 2018-02-01", "start: 2018-09-01", "the tests of 2018 came before the programme began"),
        ("partial: [2018]\n  post: [2019]", "partial: [2019]\n  post: [2018]", "must come before those in `post`"),
    ],
)
def test_years_that_cannot_show_an_effect_are_refused(folder, old, new, expected):
    assert expected in refusal(folder, old, new, DesignError)


def test_every_complaint_stands_in_one_message(folder):
    path = changed(folder, "ratio: 5", "ratio: five")
    path.write_text(path.read_text(encoding="utf-8").replace("seed:", "sede:"), encoding="utf-8")
    with pytest.raises(ProjectError, match="2 things need correcting") as caught:
        load_project(path)
    assert "matching.ratio" in str(caught.value)
    assert "Did you mean 'seed'?" in str(caught.value)


def test_a_missing_key_is_named(folder):
    said = refusal(folder, "  place: Knowsley\n", "")
    assert "programme.place" in said
    assert "this key is missing" in said


def test_dates_and_words_are_not_guessed_at(folder):
    path = changed(folder, "place: Knowsley", "place: NO")
    assert load_project(path).programme.place == "NO"  # YAML 1.1 would read false
    assert "found '010'" in refusal(folder, "ratio: 5", "ratio: 010")  # and 8 here
    assert "found '1:30'" in refusal(folder, "ratio: 5", "ratio: 1:30")  # and 90 here


def test_a_link_out_of_the_folder_is_refused(folder, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "claims.yml"
    outside.write_text("[]\n", encoding="utf-8")
    (folder / "link.yml").symlink_to(outside)
    assert "is a link that leads out" in refusal(folder, "claims: claims.yml", "claims: link.yml")


def test_a_file_of_participants_is_beside_the_project_file(folder):
    assert "'participants.csv' is missing" in refusal(folder, "areas: [340]", "file: participants.csv")
    (folder / "participants.csv").write_text("URN\n123456\n", encoding="utf-8")
    assert load_project(changed(folder, "areas: [340]", "file: participants.csv")).participants.file


# Tables of the project's own.

OWN = "  - {table: scores, column: score, label: Reading age, unit: months, role: secondary}\n"
TABLES = "data:\n  tables:\n    scores: {file: scores.csv, unit: school, period: year}\n"


@pytest.fixture
def with_table(folder):
    (folder / "scores.csv").write_text("school,year,score,base\nS1,2016,1,2\n", encoding="utf-8")
    return folder


def own(folder, outcome=OWN, tables=TABLES, **others):
    text = TEXT.replace("outcomes:\n", f"outcomes:\n{outcome}", 1).replace(
        "participants:\n", f"{tables}participants:\n", 1
    )
    for old, new in others.values():
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / "project.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_outcome_of_an_own_table_has_a_code_by_which_all_else_names_it(with_table):
    minus = ("    minus: MATPROG", "    minus: scores.score")
    analysis = ("    primary: true\n", "    primary: true\n    outcomes: [READPROG, scores.score]\n")
    project = load_project(own(with_table, minus=minus, analysis=analysis))
    assert project.outcomes[0].code == "scores.score"
    assert project.contrasts[0].minus == "scores.score"
    assert [one.code for one in project.outcomes_of(project.primary_analysis)] == ["scores.score", "READPROG"]
    (with_table / "claims.yml").write_text(
        "- quote: a\n  part: c\n  source: b\n  measure: scores.score\n", encoding="utf-8"
    )
    assert claims_of(project, with_table)[0].measure == "scores.score"


@pytest.mark.parametrize(
    ("outcome", "tables", "said"),
    [
        (
            OWN.replace("column: score", "column: scoer"),
            TABLES,
            "scores.csv has no column 'scoer'. Did you mean 'score'?",
        ),
        (OWN, TABLES.replace("unit: school", "unit: skool"), "Did you mean 'school'?"),
        (OWN, TABLES.replace("scores.csv", "../scores.csv"), "leads out of the project's folder"),
        (OWN, TABLES.replace("scores.csv", "score.csv"), "data.tables.scores.file (line 31): 'score.csv' is missing"),
        (OWN, TABLES.replace("scores.csv", "claims.yml"), "save it as CSV (.csv, .csv.gz) or Parquet"),
        (OWN, TABLES.replace("    scores:", "    KS2:"), "'KS2' cannot name a table"),
        (OWN, TABLES.replace("period: year", "period: school"), "is named as `unit` and as `period`"),
        (OWN.replace("table: scores", "table: score"), TABLES, "Did you mean 'scores'?"),
        (OWN.replace("label:", "measure: READPROG, label:"), TABLES, "name either a published `measure` or"),
        (OWN.replace("label:", "sd: 0, label:"), TABLES, "a standard deviation is a number above 0"),
        (
            OWN.replace("label:", "breaks: [{before: 2018, after: 2017, sentence: s}], label:"),
            TABLES,
            "not between 2018 and 2017",
        ),
        (OWN + OWN, TABLES, "scores.score is listed twice"),
        (OWN, TABLES.replace("year}", "year, where: {bas: 2}}"), "Did you mean 'base'?"),
        (
            OWN,
            TABLES.replace("year}", "year, where: {score: 1}}"),
            "rows cannot be chosen by 'score', which is an outcome",
        ),
    ],
)
def test_what_is_wrong_with_an_own_outcome_is_told_with_its_line(with_table, outcome, tables, said):
    with pytest.raises(ProjectError) as refused:
        load_project(own(with_table, outcome, tables))
    assert said in str(refused.value)
    assert "(line" in str(refused.value)


@pytest.mark.parametrize(
    ("notebook", "said"),
    [
        ("{file: extra.ipynb, title: T}", "'extra.ipynb' is missing"),
        ("{file: ../extra.ipynb, title: T}", "leads out of the project's folder"),
        ("{file: claims.yml, title: T}", "is not a notebook (.ipynb)"),
        ("{file: claims.yml, title: T, after: 2_area}", "Did you mean '2_areas'?"),
    ],
)
def test_own_notebooks_are_beside_the_project_file(folder, notebook, said):
    assert said in refusal(folder, "seed:", f"notebooks: [{notebook}]\nseed:")


def test_authors_may_be_absent_and_may_be_named(folder):
    assert load_project(KNOWSLEY).authors == ()
    path = changed(folder, "seed:", "authors: [{name: A Author, organisation: O}]\nseed:")
    assert load_project(path).authors[0].organisation == "O"


def test_exposure_is_told_by_the_programme_where_none_is_named(folder):
    path = changed(folder, "exposure:\n  pre: [2016, 2017]\n  partial: [2018]\n  post: [2019]\n", "")
    assert load_project(path).exposure == load_project(KNOWSLEY).exposure


def test_options_of_an_analysis_are_its_own(folder):
    own_exposure = "    exposure: {pre: [2017], post: [2019]}\n    pool: {minimum_treated: 12}\n"
    path = changed(folder, "    primary: true\n", f"    primary: true\n{own_exposure}")
    project = load_project(path)
    analysis = project.primary_analysis
    assert (project.exposure_of(analysis).pre, project.exposure.pre) == ((2017,), (2016, 2017))
    assert analysis.options.pool.minimum_treated == 12
    assert analysis.options.pool.require_all_years  # what it does not say is the project's


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "the file is empty"),
        (b"# nothing\n", "the file is empty"),
        (TEXT.encode("utf-16"), "not in UTF-8"),
        (TEXT.replace("Knowsley", "Kn\u00f6wsley").encode("latin-1"), "not in UTF-8"),
        (b"x: " + b"y" * MOST_BYTES, "larger than 256 KB"),
        (b"- 1\n", "expected keys with values"),
        (b"slug: a\n---\nslug: b\n", "line 2"),
        (b"a: \x01\n", "not YAML"),
    ],
)
def test_a_file_that_is_no_project_file_is_refused(tmp_path, content, expected):
    (tmp_path / "project.yml").write_bytes(content)
    with pytest.raises(ProjectError, match=expected):
        load_project(tmp_path / "project.yml")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        load_project(tmp_path / "project.yml")


def test_a_byte_order_mark_and_windows_lines_are_read(folder):
    path = folder / "project.yml"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode("utf-8"))
    assert load_project(path).slug == "knowsley-ssif"


@given(st.text(max_size=200))
def test_any_text_is_refused_in_words(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any" / "project.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
    with pytest.raises(InputError):
        load_project(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- quote: a\n  part: c\n  source: b\n", "without a measure"),
        ("- quote: a\n  part: c\n  source: b\n  measure: READPOG\n", "Did you mean 'READPROG'?"),
        ("- quote: a\n  part: c\n  source: b\n  measur: READPROG\n", "Did you mean 'measure'?"),
        ("- quote: '\"a\"'\n  part: c\n  source: b\n  measure: READPROG\n", "without quotation marks"),
        ("- quote: a\n  part: ''\n  source: b\n  measure: READPROG\n", "what of it is looked at"),
        ("- text: a\n  source: b\n  measure: READPROG\n", "[1].part (line 1): this key is missing"),
        ("quote: a\n", "expected a list"),
    ],
)
def test_a_claim_that_cannot_be_checked_is_refused(tmp_path, text, expected):
    (tmp_path / "claims.yml").write_text(text, encoding="utf-8")
    with pytest.raises(ProjectError) as caught:
        load_claims(tmp_path / "claims.yml")
    assert expected in str(caught.value)


def test_a_claim_about_a_measure_that_is_not_analysed_is_refused(folder):
    (folder / "claims.yml").write_text("- quote: a\n  part: c\n  source: b\n  measure: ATT8SCR\n", encoding="utf-8")
    project = load_project(changed(folder, "seed:", "seed:"))
    with pytest.raises(ProjectError, match="not among the project's outcomes"):
        claims_of(project, folder)


def test_known_keys_are_those_of_the_place():
    from evalkit.core.project import Project

    assert known_keys(Project, ("outcomes", 0))[:4] == ["role", "measure", "table", "column"]
    assert known_keys(Project, ("cost",)) == ["total_gbp", "schools", "source"]


@pytest.mark.parametrize(("name", "schema"), [("project", project_schema()), ("claims", claims_schema())])
def test_the_committed_schema_is_the_one_the_code_gives(name, schema):
    committed = (PROJECTS / f"{name}.schema.json").read_text(encoding="utf-8")
    assert committed == schema_text(schema), (
        "python -c 'from evalkit.run.project.new_project import *; write_schemas(Path(\"data/projects\"))'"
    )


def test_the_schema_accepts_the_project_and_describes_every_key():
    schema = project_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    data = yaml.load(TEXT, Loader=yaml.BaseLoader)
    assert set(data) <= set(schema["properties"])
    jsonschema.validate(project_data(load_project(KNOWSLEY)), schema)
    named = [properties for part in schema["$defs"].values() for properties in part.get("properties", {}).values()]
    # a key that says the same as the group it opens has the group's description
    assert all({"description", "$ref"} & set(properties) for properties in [*schema["properties"].values(), *named])


def test_the_schema_refuses_an_unknown_key():
    data = project_data(load_project(KNOWSLEY))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**data, "sede": 1}, project_schema())


def test_a_project_file_names_its_schema():
    for path in PROJECTS.glob("*/project.yml"):
        assert path.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=../project.schema.json\n")


def test_project_data_is_json_with_every_default():
    data = json.loads(json.dumps(project_data(load_project(KNOWSLEY))))
    assert data["programme"]["start"] == "2018-02-01"
    assert data["estimation"] == {"base": "mean_of_pre_years", "weights": "schools"}


def test_of_a_kind_that_is_not_known_nothing_more_is_asked_for(folder):
    """Which years an unknown kind would need cannot be said: the slip alone is told."""
    path = folder / "project.yml"
    own = TEXT.replace("exposure:\n  pre: [2016, 2017]\n  partial: [2018]\n  post: [2019]\n", "")
    own = own.replace(
        "  - measure: READPROG\n    role: primary", "  - {table: mine, column: score, label: Mine, role: primary}"
    )
    path.write_text(own.replace("kind: areas", "kind: aeras"), encoding="utf-8")
    assert own != TEXT
    with pytest.raises(ProjectError, match="'aeras' is not a kind") as caught:
        load_project(path)
    assert "exposure" not in str(caught.value)
