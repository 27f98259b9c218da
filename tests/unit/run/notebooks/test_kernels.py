"""A kernel gives the same notebook whether forked or started afresh, and shares nothing with another."""

import json
import os
import signal
import sys
import time
from pathlib import Path
from subprocess import PIPE

import nbformat
import pytest

from evalkit.core.errors import EnvironmentFault
from evalkit.core.errors import EvalkitError
from evalkit.run.notebooks import execute as execution
from evalkit.run.notebooks import kernels
from evalkit.run.notebooks.execute import execute
from evalkit.run.processes.fork_server import ADDRESS
from evalkit.run.processes.fork_server import PLAIN
from evalkit.run.processes.fork_server import ForkServer
from evalkit.run.notebooks.tidy import notebook_bytes
from evalkit.run.notebooks.tidy import tidy
from tests.forking import gone, is_there, soon

GIVEN = {"project_file": "a", "data": "", "out": ""}
DECLARED = 'project_file = "a"\ndata = ""\nout = ""'
forks = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
WAYS = ["afresh", pytest.param("forked", marks=forks)]


WORKER = """
import json, os, sys
from pathlib import Path
from evalkit.run.notebooks.execute import execute


def main(arguments):
    path, project_file, data = arguments
    done = execute(Path(path), {"project_file": project_file, "data": data, "out": ""})
    print(json.dumps([os.getpgrp(), json.loads(done["cells"][-1]["outputs"][0]["text"])]))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server that has imported everything, and finds a worker to fork."""
    folder = tmp_path_factory.mktemp("worker")
    (folder / "worker_of_a_test.py").write_text(WORKER, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(PLAIN, raising=False)
        patch.setenv("PYTHONPATH", str(folder))
        with ForkServer() as started:
            yield started


@pytest.fixture
def run(request, monkeypatch):
    """Give a function that runs a notebook in the way named."""

    def executed(path: Path, way: str, given: dict[str, str] = GIVEN) -> dict:
        monkeypatch.delenv(PLAIN, raising=False)
        monkeypatch.delenv(ADDRESS, raising=False)
        if way == "forked":
            monkeypatch.setenv(ADDRESS, request.getfixturevalue("server").address)
        return execute(path, given)

    return executed


def notebook(folder: Path, *sources: str) -> Path:
    """Write a notebook with a cell of parameters and the given cells."""
    first = nbformat.v4.new_code_cell(DECLARED, metadata={"tags": ["parameters"]})
    content = nbformat.v4.new_notebook(cells=[first, *map(nbformat.v4.new_code_cell, sources)])
    path = folder / "1_demo.ipynb"
    nbformat.write(content, path)
    return path


def last_words(done: dict) -> dict:
    """Return the JSON that the last cell printed."""
    return json.loads("".join(output["text"] for output in done["cells"][-1]["outputs"] if output["name"] == "stdout"))


EVERYTHING = (
    "import json, os, sys\nimport numpy as np, pandas as pd, matplotlib, seaborn as sns",
    "rng = np.random.default_rng(7)\nframe = pd.DataFrame({'x': rng.normal(size=40), 'y': rng.normal(size=40)})\nframe",
    "axes = sns.scatterplot(frame, x='x', y='y')",
    "matplotlib.get_backend(), matplotlib.rcParams['figure.dpi'], matplotlib.rcParams['savefig.dpi']",
    "np.random.seed(3)\nnp.random.normal(size=3), hash('a'), {'b', 'a', 'c'}",
    "sorted(set(os.environ) - {'PWD', 'OLDPWD'}), os.listdir(), sys.argv[1:] == []",
    "print('seen'); print('look', file=sys.stderr)",
    "from evalkit.report import table\nfrom evalkit.core.quantities import Estimand\nlist(Estimand)",
    "1 / 3",
)


@forks
def test_a_table_a_figure_and_random_numbers_are_the_same_either_way(run, tmp_path):
    path = notebook(tmp_path, *EVERYTHING)
    afresh, forked = (run(path, way) for way in ("afresh", "forked"))
    first, second = (notebook_bytes(tidy(done, GIVEN, {})) for done in (afresh, forked))
    assert first == second
    assert b"image/png" in first
    assert b"<table" in first


@forks
def test_the_design_notebook_is_the_same_either_way(run, tmp_path, synthetic_england):
    root = Path(__file__).resolve().parents[4]
    given = {
        "project_file": str(root / "data" / "projects" / "knowsley-ssif" / "project.yml"),
        "data": str(synthetic_england),
        "out": str(tmp_path),
    }
    runs = []
    for way in ("afresh", "forked"):
        done = run(root / "notebooks" / "1_design.ipynb", way, given)
        runs.append((notebook_bytes(tidy(done, given, {})), (tmp_path / "design.json").read_bytes()))
        (tmp_path / "design.json").unlink()
    assert runs[0] == runs[1]


@pytest.mark.parametrize("way", WAYS)
def test_a_killed_kernel_is_told_soon_and_as_what_it_was(run, tmp_path, way):
    path = notebook(tmp_path, "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "import time\ntime.sleep(600)")
    began = time.monotonic()
    with pytest.raises(EnvironmentFault, match="ended from outside"):
        run(path, way)
    assert time.monotonic() - began < 300


@pytest.mark.parametrize("way", WAYS)
def test_a_kernel_is_in_the_group_of_its_parent_and_ends_with_its_notebook(run, tmp_path, way, request):
    asked = "import json, os\nprint(json.dumps([os.getpid(), os.getppid(), os.getpgrp(), os.getsid(0)]))"
    pid, parent, group, session = last_words(run(notebook(tmp_path, asked), way))
    if way == "afresh":
        assert (parent, group) == (os.getpid(), os.getpgrp())
    else:  # this process stands in another session than the server, so that its group cannot be joined
        server = request.getfixturevalue("server")
        assert (parent, group, session) == (server.pid, pid, server.pid)
    assert gone(pid)


@forks
def test_the_kernels_of_a_forked_worker_are_in_its_group_and_write_nothing_to_its_output(server, tmp_path):
    path = notebook(tmp_path, "import os\nn = os.write(1, b'noise')", "print(os.getpgrp())")
    with server.popen("worker_of_a_test", [str(path), "a", ""], stdout=PIPE, stderr=PIPE) as worker:
        output, complaint = worker.stdout.read(), worker.stderr.read()
        assert worker.wait(60) == 0, complaint.decode()
    assert json.loads(output) == [worker.pid, worker.pid]
    assert b"noise" in complaint


@forks
def test_when_a_worker_is_killed_its_kernels_end(server, tmp_path):
    said = tmp_path / "said"
    path = notebook(tmp_path, "import os, time\nopen(project_file, 'w').write(str(os.getpid()))", "time.sleep(60)")
    with server.popen("worker_of_a_test", [str(path), str(said), ""]) as worker:
        assert soon(lambda: said.exists() and said.read_text() != "")
        kernel = int(said.read_text())
        assert is_there(kernel)
        os.kill(worker.pid, signal.SIGKILL)
        assert worker.wait(20) == -signal.SIGKILL
    assert gone(kernel)


@forks
def test_kernels_are_started_afresh_where_that_is_asked_for(server, tmp_path, monkeypatch):
    monkeypatch.setenv(ADDRESS, server.address)
    monkeypatch.setenv(PLAIN, "1")
    asked = "import json, os\nprint(json.dumps(os.getppid()))"
    assert last_words(execute(notebook(tmp_path, asked), GIVEN)) == os.getpid()


@forks
def test_where_the_server_has_ended_kernels_are_started_afresh(tmp_path, monkeypatch):
    monkeypatch.setenv(ADDRESS, str(tmp_path / "gone"))
    monkeypatch.delenv(PLAIN, raising=False)
    asked = "import json, os\nprint(json.dumps(os.getppid()))"
    assert last_words(execute(notebook(tmp_path, asked), GIVEN)) == os.getpid()


SIDE_BY_SIDE = (
    "import json, random, time\nfrom pathlib import Path\nimport numpy as np, matplotlib, matplotlib.pyplot as plt",
    "mine, other = Path(project_file), Path(data)\nmine.touch()\nwhile not other.exists():\n    time.sleep(0.01)\n",
    "before = matplotlib.rcParams['lines.linewidth'], len(plt.get_fignums())\n"
    "matplotlib.rcParams['lines.linewidth'] = 9\nfigure = plt.figure()\nplt.close()",
    "print(json.dumps([*before, random.random(), np.random.random(), np.random.default_rng().random()]))",
)


@forks
def test_two_kernels_side_by_side_share_no_state(server, tmp_path):
    path = str(notebook(tmp_path, *SIDE_BY_SIDE))
    files = [str(tmp_path / "first"), str(tmp_path / "second")]
    both = [server.popen("worker_of_a_test", [path, *order], stdout=PIPE) for order in (files, files[::-1])]
    found = [json.loads(process.stdout.read())[1] for process in both]
    for process in both:
        process.close()
    assert found[0][:2] == found[1][:2] == [1.5, 0]  # matplotlib's own width, and no figure
    assert len({number for numbers in found for number in numbers[2:]}) == 6


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_written_to_the_home_of_the_user(run, tmp_path, monkeypatch, way):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    run(notebook(tmp_path, "1 + 1"), way)
    assert list(home.rglob("*")) == []


def test_a_kernel_that_ends_before_it_is_ready_is_a_fault_of_the_machine(run, tmp_path, monkeypatch):
    monkeypatch.setattr(kernels, "MODULE", "no_such_module")
    with pytest.raises(EnvironmentFault, match="ended from outside"):
        run(notebook(tmp_path, "1"), "afresh")


def test_a_kernel_that_is_never_ready_is_given_up(run, tmp_path, monkeypatch):
    (tmp_path / "sleeper_of_a_test.py").write_text("import time\ntime.sleep(60)\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(kernels, "MODULE", "sleeper_of_a_test")
    monkeypatch.setattr(execution, "START_SECONDS", 1)
    with pytest.raises(EnvironmentFault, match="not ready after 1 second"):
        run(notebook(tmp_path, "1"), "afresh")


@pytest.mark.parametrize("way", WAYS)
def test_a_cell_that_takes_too_long_is_stopped(run, tmp_path, monkeypatch, way):
    monkeypatch.setattr(execution, "CELL_SECONDS", 1)
    began = time.monotonic()
    with pytest.raises(EvalkitError, match="took longer than"):
        run(notebook(tmp_path, "import time\ntime.sleep(600)"), way)
    assert time.monotonic() - began < 300


@pytest.mark.parametrize("way", WAYS)
def test_a_deep_folder_for_temporary_files_is_no_obstacle(run, tmp_path, monkeypatch, way):
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    done = run(notebook(tmp_path, "1 + 1"), way)
    assert done["cells"][-1]["outputs"][0]["data"]["text/plain"] == "2"
    assert list(deep.iterdir()) == []


@pytest.mark.parametrize("way", WAYS)
def test_a_notebook_does_not_see_the_server(run, tmp_path, way):
    done = run(notebook(tmp_path, f"import json, os\nprint(json.dumps(os.environ.get('{ADDRESS}')))"), way)
    assert last_words(done) is None
