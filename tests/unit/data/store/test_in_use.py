"""A project reads from a store what the store holds of its very files, and the files themselves where it does not."""

import os

import pandas as pd
import pytest

from evalkit.data.files.members import member_of
from evalkit.data.published.project_data import read_records
from evalkit.data.published.sources import find_sources
from evalkit.data.published.tables import read_table
from evalkit.data.store import in_use
from evalkit.data.store.importing import import_folder, imported
from evalkit.data.store.in_use import stored_instead, use_store
from evalkit.data.synthetic import write_synthetic_england
from evalkit.run.project.project_file import load_project
from tests.conftest import ROOT

KNOWSLEY = ROOT / "data" / "projects" / "knowsley-ssif"
TABLE = "performance-tables/ks2/2018-2019_england_ks2final.csv"


@pytest.fixture(scope="module")
def england(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    write_synthetic_england(folder, seed=3, scale=0.1)
    return folder


@pytest.fixture(scope="module")
def store(england, tmp_path_factory):
    place = tmp_path_factory.mktemp("kept") / "store"
    import_folder(england, place)
    return place


@pytest.fixture(autouse=True)
def no_store_after():
    yield
    use_store(None)


def test_every_cell_is_that_of_the_file(england, store):
    path = england / TABLE
    columns, more = ["RECTYPE", "URN", "READPROG", "READCOV"], ["SCHNAME", "PTRWM_EXP", "no such column"]
    for ragged in (False, True):
        use_store(None)
        raw = read_table(path, columns, optional=more, ragged=ragged)
        use_store(store)
        assert stored_instead(member_of(path), "utf-8-sig") is not None
        pd.testing.assert_frame_equal(read_table(path, columns, optional=more, ragged=ragged), raw)


def test_a_project_reads_the_same_from_a_store(england, store, monkeypatch):
    project = load_project(KNOWSLEY / "project.yml")
    raw = read_records(project, KNOWSLEY, find_sources(england))
    use_store(store)
    asked = []
    monkeypatch.setattr(in_use, "_held", lambda *given, real=in_use._held: asked.append(given) or real(*given))
    kept = read_records(project, KNOWSLEY, find_sources(england))
    assert asked
    for stage, records in raw.records.items():
        pd.testing.assert_frame_equal(kept.records[stage].schools, records.schools)
        for code, values in records.values.items():
            pd.testing.assert_frame_equal(kept.records[stage].values[code], values)
            pd.testing.assert_frame_equal(kept.records[stage].reasons[code], records.reasons[code])
    assert kept.limits.keys() == raw.limits.keys()


def test_a_file_that_changed_is_read_itself(england, store, tmp_path):
    path = england / TABLE
    use_store(store)
    facts = path.stat()
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
    try:
        assert stored_instead(member_of(path), "utf-8-sig") is None
    finally:
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    # its times were set back, and who did that could have changed it: another import finds that nobody did
    assert stored_instead(member_of(path), "utf-8-sig") is None
    assert imported(england, store).n_read == 0
    assert stored_instead(member_of(path), "utf-8-sig") is not None
    assert stored_instead(member_of(path), "cp1252") is not None  # it says itself that it is UTF-8
    use_store(tmp_path)  # where none is
    assert stored_instead(member_of(path), "utf-8-sig") is None
