"""What end-to-end tests ask for: whole runs of the command line."""

import csv
import shutil

import pytest

from tests.conftest import ROOT
from tests.whole_runs import outputs, real_run, synthetic_run

__all__ = ["outputs", "real_run", "synthetic_run"]

KNOWSLEY = ROOT / "data" / "projects" / "knowsley-ssif"
FEW = 4


def urns(england, name, score):
    table = england / "performance-tables" / name
    with table.open(encoding="utf-8-sig", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["LEA"] == "340" and row["RECTYPE"] == "1"]
    return [row["URN"] for row in rows if row[score] not in ("", None, "SUPP", "NA", "NE", "NP", "LOWCOV")]


@pytest.fixture(scope="session")
def listed_project(synthetic_england, tmp_path_factory):
    """A project of 26 primary schools of one area, and of four secondary schools, which are too few for an estimate."""
    made = tmp_path_factory.mktemp("projects") / "listed-in-one"
    shutil.copytree(KNOWSLEY, made)
    primary = urns(synthetic_england, "ks2/2018-2019_england_ks2final.csv", "READPROG")[:26]
    secondary = urns(synthetic_england, "ks4/2018-2019_england_ks4final.csv", "P8MEA")[:FEW]
    assert len(secondary) == FEW
    (made / "participants.csv").write_text("URN\n" + "\n".join(primary + secondary) + "\n", encoding="utf-8")
    text = (made / "project.yml").read_text(encoding="utf-8").replace("slug: knowsley-ssif", "slug: listed-in-one")
    text = text.replace("areas: [340]", "file: participants.csv")
    # one outcome less: for each its matchings are made again for every set
    text = text.replace("  - measure: WRITPROG\n    role: secondary\n", "")
    (made / "project.yml").write_text(text, encoding="utf-8")
    return made


@pytest.fixture(scope="session")
def listed_run(outputs, listed_project, synthetic_england):
    """The run of that project on the synthetic England."""
    return outputs("listed-in-one", str(listed_project / "project.yml"), "--data", str(synthetic_england))
