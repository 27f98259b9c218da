"""The log that output checkers read: every file once, what was suppressed in it, and its checksum."""

import hashlib
import json

from evalkit.report.documents.checkers_log import checkers_config, checkers_log, checksums
from evalkit.report.documents.leaving import contents_leaving, contents_together
from tests.small_contents import contents

KEYS = {
    "uid",
    "status",
    "type",
    "properties",
    "files",
    "outcome",
    "command",
    "summary",
    "timestamp",
    "comments",
    "exception",
}


def log_of(leaving):
    table = leaving.contents.tables["outcomes"].to_csv().encode()
    files = {"report/report.html": b"<p>", "report/tables/outcomes.csv": table}
    made = checkers_log(files, leaving, fewest=6, command="evalkit release demo", time="2026-11-30T09:00:00")
    return json.loads(made)["results"]


def test_each_file_has_an_entry_with_the_keys_of_acro():
    results = log_of(contents_leaving(contents(), are_people=False))
    assert list(results) == ["output_0", "output_1"]
    assert all(set(entry) == KEYS and entry["uid"] == uid for uid, entry in results.items())
    page, table = results.values()
    assert (page["type"], page["status"], page["files"]) == (
        "custom",
        "review",
        [{"name": "report/report.html", "sdc": {}}],
    )
    assert (table["type"], table["status"], table["summary"], table["outcome"]) == ("table", "pass", "pass", {})


def test_suppressed_cells_are_counted_and_placed():
    before = contents_together(contents(), 6).counted
    entry = log_of(contents_leaving(contents(1619), are_people=False, previous=[before]))["output_1"]
    sdc = entry["files"][0]["sdc"]
    assert entry["status"] == "review"
    assert entry["summary"] == "review; threshold: 1 cells suppressed; "
    assert sdc["summary"]["threshold"] == 1
    assert sdc["summary"]["suppressed"] is True
    assert sdc["cells"]["threshold"] == [[0, 0]]
    assert entry["outcome"] == {"n_pupils_treated": {"0: reading": "threshold; ", "1: maths": "ok"}}
    assert entry["comments"] == ["1 withheld: it differs from an earlier release by fewer people than may be told."]


def test_checksums_are_the_digits_of_sha_256_and_the_limits_have_acro_names():
    assert checksums({"report/a.csv": b"1"}) == {
        "checksums/report/a.csv.txt": hashlib.sha256(b"1").hexdigest().encode()
    }
    limits = json.loads(checkers_config(10))
    assert limits["safe_threshold"] == limits["safe_dof_threshold"] == 10
    assert (limits["safe_nk_n"], limits["safe_nk_k"], limits["safe_pratio_p"]) == (2, 0.9, 0.1)
