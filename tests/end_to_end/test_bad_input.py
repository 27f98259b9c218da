"""Each kind of bad input: one clear message, exit code 2, old outputs untouched."""

import gzip
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from evalkit.data.synthetic import write_synthetic_england
from evalkit.run import cli
from evalkit.run.many.fleet import forking
from evalkit.run.outputs.folder import MANIFEST_KIND
from tests.conftest import ROOT

KS2 = "performance-tables/ks2/2018-2019_england_ks2final.csv"
Change = Callable[[Path, Path], None]


@pytest.fixture(scope="module", autouse=True)
def one_server():
    """Load the libraries once for all cases."""
    with forking():
        yield


@pytest.fixture(scope="module")
def good_data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    write_synthetic_england(folder, seed=3, scale=0.1)
    return folder


@pytest.fixture
def space(tmp_path, good_data, monkeypatch):
    """A workspace with a copy of the data, the project, and outputs of an earlier run."""
    shutil.copytree(good_data, tmp_path / "published")
    shutil.copytree(ROOT / "data" / "projects" / "knowsley-ssif", tmp_path / "data" / "projects" / "knowsley-ssif")
    old = tmp_path / "out" / "knowsley-ssif"
    old.mkdir(parents=True)
    (old / "manifest.json").write_text(json.dumps({"kind": MANIFEST_KIND}), encoding="utf-8")
    (old / "report.html").write_text("earlier", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "_end_on_signals", lambda: None)
    return tmp_path


def in_data(name: str, edit: Callable[[bytes], bytes]) -> Change:
    """Change the bytes of a published file."""

    def change(data: Path, project: Path) -> None:
        path = data / name
        path.write_bytes(edit(path.read_bytes()))

    return change


def in_project(old: str, new: str) -> Change:
    """Change the text of the project file."""

    def change(data: Path, project: Path) -> None:
        path = project / "project.yml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def participants(text: str) -> Change:
    """Evaluate a list of schools."""

    def change(data: Path, project: Path) -> None:
        in_project("areas: [340]", "file: participants.csv")(data, project)
        (project / "participants.csv").write_text(text, encoding="utf-8")

    return change


def missing(data: Path, project: Path) -> None:
    (data / "lait" / "sn_april_2021.xlsx").unlink()


def no_school_list(data: Path, project: Path) -> None:
    (data / "gias" / "england_spine_2017-2018.csv").unlink()


def other_table(data: Path, project: Path) -> None:
    shutil.copy(data / KS2.replace("ks2", "ks4"), data / KS2)


def no_untreated(data: Path, project: Path) -> None:
    from evalkit.data.published.neighbours import read_neighbours

    areas = sorted(read_neighbours(data / "lait" / "sn_april_2021.xlsx").names)
    others = ", ".join(str(area) for area in areas if area != 340)
    in_project("exclude_areas: []", f"exclude_areas: [{others}]")(data, project)


CASES = {
    "missing file": (missing, "sn_april_2021.xlsx: there is no such file"),
    "missing school list": (no_school_list, "gias/england_spine"),
    "not the table it claims to be": (other_table, "the name says key stage 2"),
    "not a workbook": (in_data("lait/sn_may_2025.xlsx", lambda b: b"URN,LA\n1,2\n"), "not an Excel workbook"),
    "renamed column": (in_data(KS2, lambda b: b.replace(b",READPROG,", b",READPROGRESS,", 1)), "no column READPROG"),
    "truncated": (in_data(KS2, lambda b: b[: len(b) // 2]), "cut short"),
    "another encoding": (in_data(KS2, lambda b: b.decode("utf-8-sig").encode("utf-16")), "saved as UTF-16"),
    "empty": (in_data("gias/england_spine_2017-2018.csv", lambda b: b""), "empty"),
    "year without tests": (in_project("post: [2019]", "post: [2020]"), "2020"),
    "no year before": (in_project("pre: [2016, 2017]", "pre: []"), "before"),
    "wrong type": (in_project("ratio: 5", "ratio: five"), "matching.ratio"),
    "unknown key": (in_project("ratio: 5", "ratios: 5"), "Did you mean 'ratio'?"),
    "a path that leaves the folder": (in_project("claims: claims.yml", "claims: ../../claims.yml"), "claims"),
    "a Python tag": (in_project("seed: 20180201", "seed: !!python/object/apply:os.getpid []"), "tag"),
    "unknown area": (in_project("areas: [340]", "areas: [999]"), "999"),
    "an area of no such name": (in_project("areas: [340]", "areas: [Knowsly]"), "Did you mean 'Knowsley"),
    "two primary analyses": (
        in_project("analyses:\n", "analyses:\n  - {name: other, kind: areas, primary: true}\n"),
        "found 'other' and 'main'",
    ),
    "a reserved key": (in_project("kind: areas", "kind: areas\n    choices: {}"), "reserved"),
    "a rule of later years": (
        in_project("areas: [340]", "areas: [340]\n  rule: {lowest: 0.2, of: READPROG, years: [2019]}"),
        "2019 is not among the years before",
    ),
    "a choice of nothing": (in_project("seed:", "choices: {vary: {pool.neighbour: [a, b]}}\nseed:"), "neighbours"),
    "a file of the first version": (in_project("schema_version: 2", "schema_version: 1"), "`evalkit migrate FILE`"),
    "a start that is no date": (participants("URN,start\n{known},soon\n"), "the start 'soon' is no date"),
    "a table that is not there": (
        in_project("outcomes:\n", "outcomes:\n  - {table: scores, column: a, role: secondary}\n"),
        "there is no table 'scores' under `data.tables`",
    ),
    "unknown URN": (participants("URN\n999999\n"), "999999"),
    "another school's name": (participants("LAESTAB,name\n{laestab},St\n"), "the row's name is 'St'"),
    "duplicate participant": (participants("URN\n{known}\n{known}\n"), "listed twice"),
    "no untreated school": (no_untreated, "no untreated school"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_said_clearly_and_changes_nothing(space, capsys, case):
    change, said = CASES[case]
    change(space / "published", space / "data" / "projects" / "knowsley-ssif")
    _fill_in_a_known_urn(space)
    code = cli.main(["run", "knowsley-ssif", "--data", "published", "--out", "out"])
    told = capsys.readouterr()
    assert code == 2, told.err
    assert said in told.err
    assert "Traceback" not in told.err + told.out
    assert told.out == ""
    assert (space / "out" / "knowsley-ssif" / "report.html").read_text(encoding="utf-8") == "earlier"
    assert sorted(p.name for p in (space / "out").iterdir() if not p.name.startswith(".")) == ["_runs", "knowsley-ssif"]
    record = json.loads((space / "out" / "_runs" / "knowsley-ssif.failed.json").read_text(encoding="utf-8"))
    assert (record["kind"], record["exit_code"]) == ("bad input", 2)
    assert said in record["message"]


def _fill_in_a_known_urn(space: Path) -> None:
    listed = space / "data" / "projects" / "knowsley-ssif" / "participants.csv"
    if listed.exists() and "{" in listed.read_text(encoding="utf-8"):
        text = (space / "published" / KS2).read_text(encoding="utf-8-sig")
        estab, urn = next(match.groups() for match in re.finditer(r"^1,\d*,?340,(\d{4}),(\d{6}),", text, re.MULTILINE))
        filled = listed.read_text(encoding="utf-8").replace("{known}", urn).replace("{laestab}", f"340{estab}")
        listed.write_text(filled, encoding="utf-8")


def test_a_damaged_archive_is_said_clearly(space, capsys):
    path = space / "published" / "panel" / "ks2_school_covariates.csv.gz"
    path.write_bytes(gzip.compress(b"SCHOOL_ID,FSM6_PCT_2223\n1,2\n")[:-6])
    change = in_project("covariates: [pre_outcomes, cohort_size]", "covariates: [pre_outcomes, fsm_share_2223]")
    change(space / "published", space / "data" / "projects" / "knowsley-ssif")
    assert cli.main(["run", "knowsley-ssif", "--data", "published", "--out", "out"]) == 2
    assert "damaged or cut short" in capsys.readouterr().err
