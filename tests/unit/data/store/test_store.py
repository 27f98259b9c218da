"""The store: every cell comes back as published, only what changed is read, and nothing half-made is ever seen."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from evalkit.core.errors import DataError
from evalkit.data.files.members import STORE_MARK, member_of
from evalkit.data.files.raw_table import RawTable
from evalkit.data.locks import Busy, is_held
from evalkit.data.store import importing, typed_columns
from evalkit.data.store.importing import import_folder, imported, unchanged
from evalkit.data.store.store import is_store, open_store

HEADER = "RECTYPE,LEA,ESTAB,URN,SCHNAME,TELIG,PTRWM_EXP,READPROG,READPROG_17,READPROG_LOWER_17\n"
SCHOOLS = (
    "1,340,2001,104413,A School,41,94%,-0.5,1,2\n1,340,2002,104414,B School,SUPP,SUPP,1.0,,\n1,340,2003,104415,7\n"
)
ROWS = f"{SCHOOLS}4\n5\n"  # without the rows of England a table is cut short


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "ks2.csv").write_text(HEADER + ROWS, encoding="utf-8")
    return folder


def settle(folder: Path) -> None:
    """Make files look as if they had lain there for an hour."""
    for path in folder.rglob("*"):
        os.utime(path, (time.time() - 3600,) * 2)


def blocks(*columns):
    return lambda: (pa.table({"x": pa.array(cells, pa.string())}) for cells in columns)


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        ([["1", "20", "SUPP", "", None]], "int64", [1, 20, None, None, None]),
        ([["1", "2.50", "94%", "x", "-0.5"]], "double", [1.0, 2.5, 94.0, None, -0.5]),
        ([["1", "595,436", "1,2", "-0"]], "string", ["1", "595,436", "1,2", "-0"]),
        ([["1", "595,436", "-0"]], "int64", [1, 595436, 0]),
        ([["1", "Knowsley", "007"]], "string", ["1", "Knowsley", "007"]),
        ([["SUPP", ""]], "string", ["SUPP", ""]),
        ([["SUPP"], ["1"], ["2.5"]], "double", [None, 1.0, 2.5]),
        ([["1"], ["2"], ["A"]], "string", ["1", "2", "A"]),
        ([["007", "1"]], "string", ["007", "1"]),
        ([["1234567890123456789"]], "string", ["1234567890123456789"]),
        ([["nan", "inf", "1e5"]], "string", ["nan", "inf", "1e5"]),
    ],
    ids=range(11),
)
def test_a_column_is_numbers_where_every_cell_is_one_or_a_known_code_and_no_cell_is_lost(tmp_path, cells, kind, values):
    path = tmp_path / "t.parquet"
    n = typed_columns.write_typed(blocks(*cells), ["x"], path)
    found = parquet.read_table(path)
    assert (n, str(found.schema.field("x").type)) == (sum(map(len, cells)), kind)
    assert found.column("x").to_pylist() == values
    assert typed_columns.published_text(found, ["x"]).column("x").to_pylist() == [
        cell for block in cells for cell in block
    ]


def test_a_column_called_as_the_text_of_another_is_kept(tmp_path):
    table = pa.table({"x": ["1"], "x:text": ["SUPP"]})
    typed_columns.write_typed(lambda: iter([table]), ["x", "x:text"], tmp_path / "t.parquet")
    assert parquet.read_table(tmp_path / "t.parquet").to_pydict() == {"x": ["1"], "x:text": ["SUPP"]}


def test_what_was_imported_comes_back_as_published(raw, tmp_path):
    store = import_folder(raw, tmp_path / "store")
    (entry,) = store.entries
    assert (entry.name, entry.kind, entry.contents.rows, entry.is_used) == ("ks2.csv", "performance-table-ks2", 5, True)
    published = RawTable(member_of(raw / "ks2.csv"))
    assert store.read("ks2.csv").equals(published.read())
    assert store.table("ks2.csv").peek == published.peek
    assert store.read("ks2.csv", ["telig"]).to_dict("list")["telig"][:2] == ["41", "SUPP"]
    assert store.read("ks2.csv", ["TELIG"])["TELIG"].isna().tolist() == [False, False, True, True, True]


def test_sql_sees_numbers_and_codes(raw, tmp_path):
    (raw / "b.csv").write_text((HEADER + ROWS).replace("340", "341").replace("94%", "90%"), encoding="utf-8")
    store = import_folder(raw, tmp_path / "store")
    one = store.query('SELECT sum(READPROG) AS total, count("READPROG:text") AS n FROM "ks2.csv"')
    assert one.to_dict("records") == [{"total": 0.5, "n": 1}]  # the 1.0 is kept as text too: 1 would be another cell
    both = store.query('SELECT file, max(PTRWM_EXP) AS most FROM "performance-table-ks2" GROUP BY file ORDER BY file')
    assert both.to_dict("list") == {"file": ["b.csv", "ks2.csv"], "most": [90, 94]}
    with pytest.raises(DataError, match="The store cannot answer"):
        store.query('SELECT nothing FROM "ks2.csv"')


def test_a_second_import_reads_only_what_changed(raw, tmp_path):
    (raw / "notes.md").write_text("x")
    settle(raw)
    first = imported(raw, tmp_path / "store")
    assert first.n_read == 2
    assert imported(raw, tmp_path / "store").n_read == 0
    os.utime(raw / "ks2.csv")  # another time, the same bytes
    assert imported(raw, tmp_path / "store").n_read == 0
    (raw / "ks2.csv").write_text((HEADER + ROWS).replace("41", "42"), encoding="utf-8")  # as many bytes
    assert imported(raw, tmp_path / "store").n_read == 1
    assert open_store(tmp_path / "store").read("ks2.csv", ["TELIG"])["TELIG"][0] == "42"
    (raw / "ks2.csv").unlink()
    gone = imported(raw, tmp_path / "store")
    assert (gone.n_gone, [one.name for one in gone.entries]) == (1, ["notes.md"])


def test_a_file_changed_in_the_same_second_is_read_again(raw, tmp_path):
    imported(raw, tmp_path / "store")
    facts = (raw / "ks2.csv").stat()
    (raw / "ks2.csv").write_text((HEADER + ROWS).replace("41", "42"), encoding="utf-8")
    os.utime(raw / "ks2.csv", ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert imported(raw, tmp_path / "store").n_read == 1


def test_the_store_is_trusted_only_where_nothing_changed(raw, tmp_path):
    store = tmp_path / "store"
    assert unchanged(raw, store) is None
    settle(raw)
    done = imported(raw, store)
    assert unchanged(raw, store) == done.entries
    (raw / "new.md").write_text("x")
    assert unchanged(raw, store) is None


def test_archives_compressed_files_and_digests(raw, tmp_path):
    text = (raw / "ks2.csv").read_bytes()
    (raw / "ks2.csv").unlink()
    with zipfile.ZipFile(raw / "a.zip", "w") as archive:
        archive.writestr("b.csv", text)
    (raw / "c.csv.gz").write_bytes(gzip.compress(text.replace(b"340", b"341")))
    inner, zipped = import_folder(raw, tmp_path / "store").entries
    assert (inner.name, zipped.name) == ("a.zip/b.csv", "c.csv.gz")
    said = subprocess.run(["sha256sum", raw / "a.zip", raw / "c.csv.gz"], capture_output=True, text=True, check=True)
    assert [inner.archive_sha256, zipped.sha256] == [line.split()[0] for line in said.stdout.splitlines()]


def test_an_import_that_is_stopped_leaves_the_store_as_it_was(raw, tmp_path, monkeypatch):
    store = tmp_path / "store"
    imported(raw, store)
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    (raw / "b.csv").write_text((HEADER + ROWS).replace("340", "341"), encoding="utf-8")
    with monkeypatch.context() as patched:
        patched.setattr(importing, "write_manifest", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            imported(raw, store)
    assert {path: path.read_bytes() for path in before} == before
    assert [one.name for one in open_store(store).entries] == ["ks2.csv"]
    assert [one.name for one in imported(raw, store).entries] == ["b.csv", "ks2.csv"]
    assert len(list((store / "tables").iterdir())) == 2  # what the stopped one left is gone


KILLED = """
import os, signal, sys
from pathlib import Path
from evalkit import import_folder

renames, rename = int(sys.argv[3]), Path.replace

def killed_before(path, place):  # everything is put in its place by a rename: the copies first, the manifest last
    global renames
    renames -= 1
    if renames == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(path, place)

Path.replace = killed_before
import_folder(sys.argv[1], sys.argv[2])
"""


@pytest.mark.parametrize("renames", [2, 3], ids=["as a copy is written", "as the manifest is written"])
def test_an_import_that_is_killed_leaves_no_trace_in_the_next(raw, tmp_path, renames):
    store, undisturbed = tmp_path / "store", tmp_path / "undisturbed"
    imported(raw, store)
    for area in ("341", "342"):
        (raw / f"{area}.csv").write_text((HEADER + ROWS).replace("340", area), encoding="utf-8")
    settle(raw)
    command = [sys.executable, "-c", KILLED, str(raw), str(store), str(renames)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert len([path for path in store.rglob("*") if path.name.endswith(".part")]) == 1  # it was in the middle
    assert [one.name for one in open_store(store).entries] == ["ks2.csv"]
    assert not is_held(store / importing.LOCK)
    again, whole = imported(raw, store), imported(raw, undisturbed)
    assert [replace(one, read_ns=0) for one in again.entries] == [replace(one, read_ns=0) for one in whole.entries]
    assert again.n_read == 2
    assert _content(store) == _content(undisturbed)
    assert all(open_store(store).read(one.name).equals(open_store(undisturbed).read(one.name)) for one in whole.entries)


def _content(store):
    """Return every file of a store by its bytes, but for the manifest, which holds the times of reading."""
    paths = (path for path in store.rglob("*") if path.is_file())
    return {str(path.relative_to(store)): b"" if path.name == STORE_MARK else path.read_bytes() for path in paths}


def test_two_imports_at_once_wait_for_each_other(raw, tmp_path):
    for n in range(4):
        (raw / f"t{n}.csv").write_text((HEADER + ROWS * 50).replace("340", f"34{n + 1}"), encoding="utf-8")
    code = "import sys; from evalkit import import_folder; import_folder(sys.argv[1], sys.argv[2])"
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(raw), str(tmp_path / "store")], stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    assert [(one.communicate()[1], one.returncode) for one in started] == [(b"", 0)] * 2
    assert all(len(open_store(tmp_path / "store").read(one.name)) for one in open_store(tmp_path / "store").entries)


def test_who_waits_is_told_for_whom(raw, tmp_path):
    from evalkit.data.locks import only_one

    (tmp_path / "store").mkdir()
    told = []

    def say(text):
        told.append(text)
        raise KeyboardInterrupt

    with only_one(tmp_path / "store" / importing.LOCK, "busy"), pytest.raises(KeyboardInterrupt):
        imported(raw, tmp_path / "store", say=say)
    assert f"process {os.getpid()} since 20" in told[0]


def test_a_block_that_is_refused_as_busy_itself_is_not_begun_again(tmp_path):
    begun = []

    def asks_for_another_thing():
        with importing._alone(tmp_path, lambda text: None):
            begun.append(1)
            raise Busy("another thing is held")

    with pytest.raises(Busy, match="another thing"):
        asks_for_another_thing()
    assert begun == [1]
    assert not is_held(tmp_path / importing.LOCK)


def test_what_a_killed_process_put_on_the_disk_goes_at_the_next_import(raw, tmp_path):
    store = tmp_path / "store"
    imported(raw, store)
    for name, age in ((".spill-1-old", 2), (".spill-2-new", 0)):
        (store / name).mkdir()
        (store / name / "block").write_text("x")
        os.utime(store / name, (time.time() - age * 86_400,) * 2)
    imported(raw, store)
    assert [path.name for path in store.glob(".spill*")] == [".spill-2-new"]  # a question may be under way


def test_the_store_of_another_code_is_made_anew(raw, tmp_path):
    settle(raw)
    imported(raw, tmp_path / "store")
    path = tmp_path / "store" / STORE_MARK
    path.write_text(json.dumps(json.loads(path.read_text()) | {"code": "older"}))
    assert imported(raw, tmp_path / "store").n_read == 1


def test_a_store_within_the_folder_is_no_file_of_it(raw):
    import_folder(raw, raw / "store")
    assert [one.name for one in import_folder(raw, raw / "store").entries] == ["ks2.csv"]


def test_what_cannot_be_is_told(raw, tmp_path):
    with pytest.raises(DataError, match="no folder: nothing is there"):
        import_folder(tmp_path / "nothing", tmp_path / "store")
    with pytest.raises(DataError, match="a file, not a folder"):
        import_folder(raw / "ks2.csv", tmp_path / "store")
    with pytest.raises(DataError, match="cannot be the folder of the raw files"):
        import_folder(raw, raw)
    with pytest.raises(DataError, match="there is no store"):
        open_store(tmp_path / "store")
    assert not is_store(tmp_path / "store")
    store = import_folder(raw, tmp_path / "store")
    with pytest.raises(DataError, match=r"no file 'ks\.csv'.*ks2\.csv"):
        store.read("ks.csv")
    (store.folder / store.entries[0].copy).unlink()
    with pytest.raises(DataError, match="missing or damaged"):
        store.read("ks2.csv")
    (store.folder / STORE_MARK).write_text("{")
    with pytest.raises(DataError, match="the file is damaged"):
        open_store(store.folder)
