"""`evalkit fetch` as it is typed, against a server on this machine."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

from evalkit.data.files.members import members
from evalkit.data.locks import only_one
from evalkit.run.fetch import command, one_file, transfer
from evalkit.run.fetch.command import LOCK
from evalkit.run.fetch.transfer import Tools
from tests.conftest import ROOT
from tests.public_server import packed
from tests.whole_command import typed

TABLE = b"\xef\xbb\xbfRECTYPE,LEA,ESTAB,URN,SCHNAME,TELIG\r\n1,340,2000,104400,A,30\r\n1,340,2001,104401,B,60\r\n"
LATER = TABLE.replace(b"60", b"61")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No wait is for real, and a server that goes silent is told soon."""
    limits = transfer.Limits(silence=2.0, connect=2.0)
    monkeypatch.setattr(command, "Tools", lambda: Tools(limits=limits, sleep=lambda _: None))


@pytest.fixture
def fetch(server, tmp_path, monkeypatch):
    """Type `evalkit fetch` with addresses of the server."""
    monkeypatch.chdir(tmp_path)

    def run(source, *words, addresses=None):
        (tmp_path / "addresses.json").write_text(json.dumps(addresses or {source: server.base}), encoding="utf-8")
        return typed("fetch", source, *words, "--addresses", tmp_path / "addresses.json", "--out", tmp_path / "out")

    return run


def left(tmp_path):
    """Return the names of the files in the folder, without the register."""
    out = tmp_path / "out"
    files = [path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()]
    return sorted((name for name in files if name != "evalkit-fetched.json"), key=lambda name: (name[0] == ".", name))


def register(tmp_path):
    said = json.loads((tmp_path / "out" / "evalkit-fetched.json").read_text(encoding="utf-8"))
    return {one["file"]: one for one in said["files"]}


def test_tables_come_under_the_names_that_they_are_published_with(fetch, server, tmp_path):
    server.has("/download-data", TABLE)
    ran = fetch("performance-tables", "--years", "2018-2019", "--la", "340,Surrey", "--only", "ks2")
    assert ran.code == 0, ran.err
    assert left(tmp_path) == [f"{y}_{la}_ks2final.csv" for y in ("2017-2018", "2018-2019") for la in (340, 936)]
    assert [one.query["regions"] + one.query["year"] for one in server.asked] == [
        ["340", "2017-2018"], ["936", "2017-2018"], ["340", "2018-2019"], ["936", "2018-2019"],
    ]  # fmt: skip
    assert "Next: `evalkit import out`" in ran.out
    said = register(tmp_path)["2018-2019_340_ks2final.csv"]
    assert said["sha256"] == hashlib.sha256(TABLE).hexdigest()
    assert (said["bytes"], said["etag"], said["source"]) == (len(TABLE), '"one"', "performance-tables")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", said["fetched"])


def test_a_second_fetch_that_changes_nothing_says_so(fetch, server, tmp_path):
    server.has("/a.csv", TABLE)
    server.has("/b.csv", TABLE, etag="")
    server.has("/c.csv", TABLE, etag="", modified="")
    addresses = {"gias": [f"{server.base}/{name}.csv" for name in "abc"]}
    assert fetch("gias", addresses=addresses).code == 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.csv")}
    ran = fetch("gias", addresses=addresses)
    assert (ran.code, ran.out.count("not changed"), len(before)) == (0, 3, 3)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.csv")} == before
    assert left(tmp_path) == ["a.csv", "b.csv", "c.csv"]


def test_a_file_that_changed_takes_the_place_of_the_old_one_which_is_kept(fetch, server, tmp_path):
    addresses = {"gias": f"{server.base}/a.csv"}
    server.has("/a.csv", TABLE)
    fetch("gias", addresses=addresses)
    server.has("/a.csv", LATER, etag='"two"')
    ran = fetch("gias", addresses=addresses)
    [new, old] = left(tmp_path)
    assert re.fullmatch(r"\.evalkit-earlier/\d{4}-\d\d-\d\d-[0-9a-f]{8}-a\.csv", old)
    assert "changed since a.csv" in ran.out
    assert f"kept as {old}" in ran.out
    assert (tmp_path / "out" / new).read_bytes() == LATER
    assert (tmp_path / "out" / old).read_bytes() == TABLE
    assert register(tmp_path)["a.csv"]["earlier"] == [old]
    server.has("/a.csv", TABLE, etag='"three"')
    fetch("gias", addresses=addresses)
    assert len(left(tmp_path)) == 3


def test_a_file_that_was_changed_here_is_fetched_again_and_kept(fetch, server, tmp_path):
    addresses = {"gias": f"{server.base}/a.csv"}
    server.has("/a.csv", TABLE)
    fetch("gias", addresses=addresses)
    (tmp_path / "out" / "a.csv").write_bytes(b"mine,now\n1,2\n")
    assert fetch("gias", addresses=addresses).code == 0
    [new, old] = left(tmp_path)
    assert (tmp_path / "out" / new).read_bytes() == TABLE
    assert (tmp_path / "out" / old).read_bytes() == b"mine,now\n1,2\n"


def test_a_file_of_somebody_else_is_never_replaced(fetch, server, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.csv").write_bytes(b"mine,now\n1,2\n")
    (tmp_path / "out" / "b.csv").write_bytes(TABLE)
    for name in "ab":
        server.has(f"/{name}.csv", TABLE)
    ran = fetch("gias", addresses={"gias": [f"{server.base}/a.csv", f"{server.base}/b.csv"]})
    assert ran.code == 2
    assert "was not fetched by evalkit" in ran.err
    assert (tmp_path / "out" / "a.csv").read_bytes() == b"mine,now\n1,2\n"
    assert left(tmp_path) == ["a.csv", "b.csv"]
    assert list(register(tmp_path)) == ["b.csv"]  # the very file that the server has


def test_a_file_of_another_source_is_not_replaced_and_the_very_same_is(fetch, server, tmp_path):
    server.has("/a.csv", TABLE)
    server.has("/x/a.csv", LATER, etag='"two"')
    fetch("gias", addresses={"gias": f"{server.base}/a.csv"})
    ran = fetch("ees", addresses={"ees": f"{server.base}/x/a.csv"})
    assert (ran.code, "fetched as gias/a, so it is not replaced by ees/a" in ran.err) == (2, True)
    assert (tmp_path / "out" / "a.csv").read_bytes() == TABLE
    assert fetch("ees", addresses={"ees": f"{server.base}/a.csv"}).code == 0
    assert [one["key"] for one in register(tmp_path).values()] == ["ees/a"]


def test_a_file_that_was_placed_but_not_registered_is_not_kept_twice(fetch, server, tmp_path):
    addresses = {"gias": f"{server.base}/a.csv"}
    server.has("/a.csv", TABLE)
    fetch("gias", addresses=addresses)
    server.has("/a.csv", LATER, etag='"two"')
    (tmp_path / "out" / "a.csv").write_bytes(LATER)  # as where the kit was ended just then
    assert "not changed" in fetch("gias", addresses=addresses).out
    assert left(tmp_path) == ["a.csv"]
    assert register(tmp_path)["a.csv"]["sha256"] == hashlib.sha256(LATER).hexdigest()


def test_of_files_that_cannot_be_had_the_others_come_all_the_same(fetch, server, tmp_path):
    server.has("/page.csv", "<html><title>Sorry</title></html>", type="text/html")
    server.has("/a.csv", TABLE)
    server.has("/short.csv", TABLE, length=len(TABLE) + 9, has_ranges=False)
    names = ["page.csv", "none.csv", "short.csv", "a.csv"]
    ran = fetch("gias", "--json", addresses={"gias": [f"{server.base}/{name}" for name in names]})
    assert ran.code == 2
    assert "web page, 'Sorry'," in ran.err
    said = json.loads(ran.out)
    assert [one["key"] for one in said["failed"]] == ["gias/page", "gias/none", "gias/short"]
    assert [one["file"] for one in said["files"]] == ["a.csv"]
    assert [name for name in left(tmp_path) if "short.csv.part" not in name] == ["a.csv"]


def test_years_that_do_not_exist_are_told_before_any_server_is_asked(fetch, server, tmp_path):
    ran = fetch("performance-tables", "--years", "2020,2021")
    assert ran.code == 2
    assert "ks2 of 2020: no tests or exams were held" in ran.err
    assert server.asked == []
    assert not (tmp_path / "out").exists()


def test_offline_is_told_once_and_nothing_is_lost(fetch, server, tmp_path):
    addresses = {"gias": [f"{server.base}/a.csv", f"{server.base}/b.csv"]}
    for name in "ab":
        server.has(f"/{name}.csv", TABLE)
    fetch("gias", addresses=addresses)
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    server.shutdown()
    server.server_close()
    ran = fetch("gias", addresses=addresses)
    assert ran.code == 2
    assert ran.err.count("refused") == 1
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_the_newest_version_of_a_data_set_is_asked_for_by_its_number(fetch, server, tmp_path):
    csv = server.has("/v1/data-sets/abc/csv", packed(TABLE), encoding="gzip")
    server.has("/v1/data-sets/abc", json.dumps({"latestVersion": {"version": "1.1"}}))
    addresses = {"ees": f"{server.base}/v1/data-sets/abc/csv"}
    ran = fetch("ees", addresses=addresses)
    assert ran.code == 0, ran.err
    assert server.asked[1].query == {"dataSetVersion": ["1.1"]}
    [record] = register(tmp_path).values()
    assert (record["data_set_version"], record["file"]) == ("1.1", "ees.csv.gz")
    n_asked = len(server.asked)
    assert "not changed" in fetch("ees", addresses=addresses).out
    assert len(server.asked) == n_asked + 1  # which version it has, and no more
    server.has("/v1/data-sets/abc", json.dumps({"latestVersion": {"version": "2.0"}}))
    csv.content, csv.etag = packed(LATER), '"two"'
    assert "version 2.0" in fetch("ees", addresses=addresses).out


@pytest.mark.parametrize("answer", ["{", "[]", '{"latestVersion": {"version": "../1"}}', '{"latestVersion": null}'])
def test_a_server_that_does_not_say_its_version_is_asked_without(fetch, server, tmp_path, answer):
    server.has("/v1/data-sets/abc/csv", TABLE)
    server.has("/v1/data-sets/abc", answer)
    assert fetch("ees", addresses={"ees": f"{server.base}/v1/data-sets/abc/csv"}).code == 0
    assert server.asked[1].query == {}


def test_of_a_daily_file_yesterdays_is_taken_and_todays_takes_its_place(fetch, server, tmp_path, monkeypatch):
    addresses = {"gias": f"{server.base}/edubasealldata{{date}}.csv"}
    days = [place.name for place in _places(addresses, tmp_path)]
    server.has(f"/{days[2]}", TABLE)
    assert fetch("gias", addresses=addresses).code == 0
    assert left(tmp_path) == [days[2]]
    server.has(f"/{days[0]}", LATER)
    assert fetch("gias", addresses=addresses).code == 0
    kept = [name for name in left(tmp_path) if "earlier" in name]
    assert left(tmp_path) == [days[0], *kept]
    assert len(kept) == 1
    del server.answers[f"/{days[0]}"], server.answers[f"/{days[2]}"]
    ran = fetch("gias", addresses=addresses)
    assert (ran.code, "one of the 7 days before" in ran.err) == (2, True)


def _places(addresses, tmp_path):
    from datetime import UTC, datetime

    from evalkit.run.fetch.addresses import sources
    from evalkit.run.fetch.wanted import plan

    (tmp_path / "a.json").write_text(json.dumps(addresses), encoding="utf-8")
    return plan(sources(tmp_path / "a.json")["gias"], (), (), (), datetime.now(UTC).date()).files[0].places


def test_two_fetches_into_one_folder_do_not_meet(fetch, server, tmp_path):
    server.has("/a.csv", TABLE)
    (tmp_path / "out").mkdir()
    with only_one(tmp_path / "out" / LOCK, "x"):
        ran = fetch("gias", addresses={"gias": f"{server.base}/a.csv"})
    assert ran.code == 4
    assert "Another `evalkit fetch` is at work" in ran.err
    assert server.asked == []


@pytest.mark.parametrize("text", ["{", '{"files": [{"key": 1}]}', '{"files": 3}'])
def test_a_damaged_register_is_told_and_without_it_nothing_is_fetched_in_vain(fetch, server, tmp_path, text):
    addresses = {"gias": f"{server.base}/a.csv"}
    server.has("/a.csv", TABLE)
    fetch("gias", addresses=addresses)
    path = tmp_path / "out" / "evalkit-fetched.json"
    path.write_text(text, encoding="utf-8")
    ran = fetch("gias", addresses=addresses)
    assert (ran.code, "the register of fetched files is damaged" in ran.err) == (2, True)
    path.unlink()
    assert fetch("gias", addresses=addresses).code == 0
    assert left(tmp_path) == ["a.csv"]


def test_a_register_leads_to_no_file_elsewhere(fetch, server, tmp_path):
    addresses = {"gias": f"{server.base}/a.csv"}
    server.has("/a.csv", TABLE)
    fetch("gias", addresses=addresses)
    path = tmp_path / "out" / "evalkit-fetched.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"a.csv"', '"../a.csv"'), encoding="utf-8")
    assert fetch("gias", addresses=addresses).code == 2


def test_a_disk_that_is_full_ends_it_with_what_came_kept(fetch, server, tmp_path, monkeypatch):
    server.has("/a.csv", TABLE)

    def full(fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(transfer.os, "fsync", full)
    ran = fetch("gias", addresses={"gias": f"{server.base}/a.csv"})
    assert ran.code == 3
    assert "The disk is full" in ran.err
    assert not (tmp_path / "out" / "a.csv").exists()


def test_what_a_fetch_leaves_beside_its_files_is_no_data(fetch, server, tmp_path):
    addresses = {"performance-tables": {"ks2": f"{server.base}/a.csv"}}
    for content, etag in ((TABLE, '"one"'), (LATER, '"two"')):
        server.has("/a.csv", content, etag=etag)
        fetch("performance-tables", addresses=addresses)
    server.has("/a.csv", LATER + TABLE, etag='"three"', length=10**6, has_ranges=False)
    fetch("performance-tables", addresses=addresses)
    opened = [one.name for one in members(tmp_path / "out") if not one.problem]
    assert opened == ["a.csv"]
    assert len(left(tmp_path)) == 4  # with the earlier one, and the part and what is known of it


def test_without_links_the_old_file_is_copied(fetch, server, tmp_path, monkeypatch):
    addresses = {"gias": f"{server.base}/a.csv"}
    server.has("/a.csv", TABLE)
    fetch("gias", addresses=addresses)
    server.has("/a.csv", LATER, etag='"two"')

    def no_links(*_):
        raise OSError(1, "not permitted")

    monkeypatch.setattr(one_file.os, "link", no_links)
    assert fetch("gias", addresses=addresses).code == 0
    assert len(left(tmp_path)) == 2


def test_the_list_says_what_is_where_and_asks_no_server(monkeypatch):
    monkeypatch.setattr(transfer, "_asked", None)
    ran = typed("fetch", "--list")
    assert ran.code == 0
    assert ran.out.count("not confirmed from where this was built") == 5
    assert "edubasealldata{date}.csv" in ran.out
    (gias,) = json.loads(typed("fetch", "gias", "--list", "--json").out)
    assert gias["name"] == "gias"
    (tables,) = json.loads(typed("fetch", "performance-tables", "--list", "--json").out)
    last = tables["addresses"][-1:]
    (some,) = json.loads(typed("fetch", "performance-tables", "--list", "--only", last[0]["name"], "--json").out)
    assert len(tables["addresses"]) > 1
    assert some == tables | {"addresses": last}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "Name a source"),
        (["gais"], "Did you mean 'gias'"),
        (["--list", "--years", "2019"], "fetches nothing"),
        (["--list", "--only", "links"], "Name the source"),
        (["gias", "--list", "--only", "lnks"], "--only: gias has no 'lnks'"),
        (["performance-tables"], "Say which with --years"),
        (["performance-tables", "--years", "x"], "--years"),
        (["gias", "--la", "Nowhere"], "no authority"),
        (["gias", "--addresses", "none.yml"], "no such file"),
    ],
)
def test_what_cannot_be_asked_is_refused(words, why, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = typed("fetch", *words)
    assert ran.code == 2
    assert why in ran.err
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_says_what_can_be_gone_on_with(server, tmp_path):
    content = TABLE * 12_000
    answer = server.has("/a.csv", content, pause=0.05)
    (tmp_path / "addresses.json").write_text(json.dumps({"gias": f"{server.base}/a.csv"}), encoding="utf-8")
    words = ["fetch", "gias", "--addresses", str(tmp_path / "addresses.json"), "--out", str(tmp_path / "out")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(
        [sys.executable, "-m", "evalkit", *words], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=environment,
    )  # fmt: skip
    part = tmp_path / "out" / "a.csv.part"
    deadline = time.monotonic() + 20
    while not (part.exists() and part.stat().st_size > 8_000) and time.monotonic() < deadline:
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=20)
    assert child.returncode == 130
    assert re.search(r"Interrupted\. 0 files of 1 whole; a\.csv\.part \(.*\) is a part, from which", err), err
    assert "Traceback" not in err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [".a.csv.part-about", "a.csv.part"]
    answer.pause = 0
    assert typed(*words).code == 0
    assert (tmp_path / "out" / "a.csv").read_bytes() == content
    assert server.asked[-1].headers["Range"].startswith("bytes=")


def test_published_files_come_whole_through_everything_that_can_go_wrong(fetch, server, tmp_path, shared_files):
    ks2 = (shared_files / "performance-tables" / "2018-2019_936_ks2final.csv").read_bytes()
    outlines = (shared_files / "boundaries" / "Upper_Tier_Local_Authorities_Simplified.geojson.gz").read_bytes()
    table = (shared_files / "ees" / "exclusions_by_geographic_level.zip").read_bytes()
    links = (shared_files / "gias" / "2021_giaslinks.csv.gz").read_bytes()
    server.has("/ks2.csv", ks2, cuts=[100_000, 50_000], statuses=[(503, {"Retry-After": "1"})])
    server.has("/outlines.geojson.gz", outlines, has_ranges=False, cuts=[300_000])
    server.has("/table.csv", table, is_chunked=True, cuts=[2_000_000])
    server.has("/links.csv", location="/links2")
    server.has("/links2", links, encoding="gzip", etag="", cuts=[9_000])
    names = ["ks2.csv", "outlines.geojson.gz", "table.csv", "links.csv"]
    ran = fetch("boundaries", addresses={"boundaries": [f"{server.base}/{name}" for name in names]})
    assert ran.code == 0, ran.err
    contents = {"ks2.csv": ks2, "outlines.geojson.gz": outlines, "table.zip": table, "links.csv.gz": links}
    assert left(tmp_path) == sorted(contents)
    for name, content in contents.items():
        assert (tmp_path / "out" / name).read_bytes() == content
        assert register(tmp_path)[name]["sha256"] == hashlib.sha256(content).hexdigest()
    shutil.rmtree(tmp_path / "out")


def test_nothing_of_the_network_is_loaded_until_a_fetch_is_asked_for():
    code = (
        "import sys; from evalkit.run import cli; cli.main(['fetch', '--help']); cli.main(['fetch', 'x'])\n"
        "print(*({'requests', 'urllib3', 'tenacity', 'yaml'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout.splitlines()[-1] == ""
