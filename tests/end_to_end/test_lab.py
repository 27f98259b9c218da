"""`evalkit lab` for real: the server answers and ends, and notebooks run by hand give the numbers of a run."""

import csv
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from evalkit.report.border.disclosure import ReleasedTable
from evalkit.report.border.markup import PART_MIME
from evalkit.report.border.parts import Figure, parts_from_json
from tests.conftest import ROOT

TOKEN = "of-this-test"
SECONDS = 120
SLUG = "knowsley-ssif"


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def asked(port: int, path: str, method: str = "GET") -> object:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/{path}", method=method, headers={"Authorization": f"token {TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or b"null")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Path:
    """A workspace with the project of the repository, and a home in which a kernel of another Python is installed."""
    root = tmp_path_factory.mktemp("workspace")
    shutil.copytree(ROOT / "data" / "projects" / SLUG, root / "data" / "projects" / SLUG)
    foreign = root / "home" / ".local" / "share" / "jupyter" / "kernels" / "python3"
    foreign.mkdir(parents=True)
    spec = {"argv": ["false"], "display_name": "Another Python", "language": "python"}
    (foreign / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    return root


def started(workspace: Path, synthetic_england: Path, port: int) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HOME": str(workspace / "home"),
        "JUPYTER_TOKEN": TOKEN,
        "JUPYTER_RUNTIME_DIR": str(workspace / "home" / "runtime"),
    }
    command = [sys.executable, "-m", "evalkit", "lab", SLUG, "--data", str(synthetic_england)]
    command += ["--no-browser", "--port", str(port)]
    return subprocess.Popen(command, cwd=workspace, env=environment, stderr=subprocess.PIPE, text=True)


def await_status(port: int, process: subprocess.Popen[str]) -> object:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        try:
            return asked(port, "status")
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    raise AssertionError("the server did not answer")


@pytest.fixture(scope="module")
def lab(workspace, synthetic_england):
    """What a session of the lab answered, and how it ended."""
    port = free_port()
    process = started(workspace, synthetic_england, port)
    try:
        status = await_status(port, process)
        specs, listed = asked(port, "kernelspecs"), asked(port, f"contents/lab/{SLUG}")
        kernel = asked(port, "kernels", "POST")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    answers = {"status": status, "specs": specs, "listed": listed, "kernel": kernel}
    return answers | {"code": process.returncode, "said": said, "port": port}


def test_the_server_answers_lists_the_notebooks_and_offers_the_kernel_of_this_python(lab):
    assert {"kernels", "started"} <= lab["status"].keys()
    names = [entry["name"] for entry in lab["listed"]["content"]]
    assert {"1_design.ipynb", "2_areas.ipynb"} <= set(names)
    spec = lab["specs"]["kernelspecs"]["python3"]["spec"]
    assert spec["display_name"] != "Another Python"
    assert lab["kernel"]["name"] == "python3"


def test_one_interruption_ends_it_and_its_kernels_in_good_order(lab):
    assert lab["code"] == 0
    assert "JupyterLab has ended" in lab["said"]
    assert "Traceback" not in lab["said"]
    with socket.socket() as held:
        assert held.connect_ex(("127.0.0.1", lab["port"])) != 0


@pytest.fixture(scope="module")
def by_hand(lab, workspace) -> dict[str, object]:
    """The parts that the notebooks show when they are run from top to bottom, in order, by a plain kernel."""
    folder, parts = workspace / "lab" / SLUG, []
    for name in ("1_design", "0_summary", "2_areas", "3_review"):  # the fifth shows how it was made, and no result
        path = folder / f"{name}.ipynb"
        notebook = nbformat.read(path, 4)
        resources = {"metadata": {"path": str(folder)}}
        NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        for record in (output["data"][PART_MIME] for output in outputs if PART_MIME in output.get("data", {})):
            parts += parts_from_json(record)
    tables = [part for part in parts if isinstance(part, ReleasedTable)]
    tables += [part.data for part in parts if isinstance(part, Figure)]
    return {"folder": folder, "tables": {table.to_csv() for table in tables}}


def test_notebooks_run_by_hand_show_the_tables_of_the_run_to_the_last_digit(by_hand, synthetic_run):
    written = {path.name: path.read_text(encoding="utf-8") for path in (synthetic_run / "tables").glob("*.csv")}
    assert len(written) > 15
    missing = {name for name, text in written.items() if text not in by_hand["tables"]}
    # Findings are shown in two tables, grave ones and the others; no school is listed, so pages have no dilution.
    assert missing == {"findings.csv", "dilution.csv"}
    assert "No outcome" in written["dilution.csv"]
    shown = {tuple(row[-2:]) for text in by_hand["tables"] for row in csv.reader(io.StringIO(text))}
    findings = [(row["verdict"], row["sentence"]) for row in csv.DictReader(io.StringIO(written["findings.csv"]))]
    assert len(findings) > 15
    assert set(findings) <= shown


def test_the_design_locked_by_hand_is_that_of_the_run(by_hand, synthetic_run):
    assert (by_hand["folder"] / "design.json").read_bytes() == (synthetic_run / "design.json").read_bytes()
