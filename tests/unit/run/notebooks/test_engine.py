"""A notebook run in this process gives what a kernel gives, and leaves nothing of itself in the process."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import types
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient

import evalkit.core.words
from evalkit.core.errors import DataError, EvalkitError
from evalkit.run.notebooks import execute as execution
from evalkit.run.notebooks.engine import environment
from evalkit.run.notebooks.execute import NotebookFailure, execute
from evalkit.run.notebooks.tidy import notebook_bytes, tidy
from evalkit.run.processes.light import ONE_THREAD

ROOT = Path(__file__).resolve().parents[4]
GIVEN = {"project_file": "a", "data": "", "out": ""}
DECLARED = 'project_file = "a"\ndata = ""\nout = ""'


ALONE = """
import json, sys
from pathlib import Path
from evalkit.run.notebooks.execute import execute
path, given, times = json.loads(sys.argv[1])
print(json.dumps([execute(Path(path), given) for _ in range(times)]))
"""


def alone(path: Path, given: dict[str, str] = GIVEN, times: int = 1) -> list[dict]:
    """Return a notebook executed so many times in a program of its own, in which warnings are as in a worker."""
    asked = json.dumps([str(path), given, times])
    command = [sys.executable, "-c", ALONE, asked]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, check=True).stdout)


def notebook(folder: Path, *sources: str) -> Path:
    """Write a notebook with a cell of parameters and the given cells."""
    first = nbformat.v4.new_code_cell(DECLARED, metadata={"tags": ["parameters"]})
    content = nbformat.v4.new_notebook(cells=[first, *map(nbformat.v4.new_code_cell, sources)])
    path = folder / "1_demo.ipynb"
    nbformat.write(content, path)
    return path


def last_words(done: dict) -> object:
    """Return the JSON that the last cell printed."""
    return json.loads("".join(output["text"] for output in done["cells"][-1]["outputs"] if output["name"] == "stdout"))


def by_a_kernel(path: Path, parameters: dict[str, str], folder: Path, monkeypatch) -> dict:
    """Return a notebook executed as JupyterLab executes it: by an ipykernel, with parameters in a cell of their own."""
    content = nbformat.read(path, as_version=4)
    given = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    at = next(n for n, cell in enumerate(content.cells) if "parameters" in cell.metadata.get("tags", []))
    content.cells.insert(at + 1, nbformat.v4.new_code_cell(given, metadata={"tags": ["injected-parameters"]}))
    for cell in content.cells:
        cell.metadata.setdefault("tags", [])  # as papermill does
    folder.mkdir()
    for name, value in environment(folder).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    client = NotebookClient(content, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    return client.execute(env=dict(os.environ))


SHOWN = (
    "import json, sys, warnings\nimport numpy as np, pandas as pd, matplotlib, seaborn as sns",
    "import matplotlib.pyplot as plt",
    "rng = np.random.default_rng(7)\nframe = pd.DataFrame({'x': rng.normal(size=40), 'y': rng.normal(size=40)})\nframe",
    "axes = sns.scatterplot(frame, x='x', y='y')",
    "figure = plt.figure(figsize=(2, 1))\nplt.plot([1, 2])\nprint('drawn')",
    "figure",
    "matplotlib.get_backend(), matplotlib.rcParams['figure.dpi'], matplotlib.rcParams['savefig.dpi']",
    "np.random.seed(3)\nnp.random.normal(size=3)",
    "print('seen'); print('look', file=sys.stderr); print('again')",
    "from IPython.display import HTML, JSON, Markdown, clear_output, display",
    "handle = display(HTML('<p>1</p>'), display_id='a')",
    "print('before'); display(Markdown('*in between*'), 7); print('after'); 1 / 3",
    "handle.update(HTML('<p>2</p>')); display(JSON({'a': [1, 2.5, None]}))",
    "print('gone'); clear_output(); print('stays')",
    "print('gone too'); clear_output(wait=True); print('stays too')",
    "display(HTML('<p>3</p>'), metadata={'isolated': True})",
    "display({'text/plain': 'raw', 'application/x+json': {'b': 1}}, raw=True)",
    "warnings.warn('careful')",
    "def f():\n    return sum(range(10))\nf(); _",
    "_, Out[8] if 8 in Out else None, len(In)",
    "1 + 1;",
    "",
    "await __import__('asyncio').sleep(0)\n'awaited'",
    "%pwd\n%precision 2\n1 / 3",
    "class Shown:\n    def _repr_mimebundle_(self, include=None, exclude=None):\n"
    "        data = {'text/plain': 'x', 'text/html': '<b>x</b>', 'application/vnd.a+json': {'n': 1}}\n"
    "        return data, {'text/html': {'m': 1}}\nShown()",
    "display(Shown()); Shown",
    "import pickle, __main__\npickle.loads(pickle.dumps(Shown())).__class__ is Shown, __name__, __main__.f is f",
)


def test_what_cells_show_is_what_a_kernel_shows(tmp_path, monkeypatch):
    path = notebook(tmp_path, *SHOWN)
    (own,) = alone(path)
    kernel = by_a_kernel(path, GIVEN, tmp_path / "kernel", monkeypatch)
    released = [
        notebook_bytes(tidy(done, GIVEN, {str(tmp_path / "kernel"): "", **_folders(own)})) for done in (own, kernel)
    ]
    for one, other in zip(json.loads(released[0])["cells"], json.loads(released[1])["cells"], strict=True):
        assert one == other
    assert released[0] == released[1]
    assert b"image/png" in released[0]


def _folders(done: dict) -> dict[str, str]:
    """Return the private folder that a notebook ran in, which `%pwd` showed, to be left out."""
    shown = [cell["outputs"] for cell in done["cells"] if cell["source"].startswith("%pwd")]
    return {output["data"]["text/plain"].strip("'"): "" for output in shown[0] if "/" in output["data"]["text/plain"]}


def test_the_design_notebook_gives_the_numbers_that_a_kernel_gives(tmp_path, synthetic_england, monkeypatch):
    given = {
        "project_file": str(ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml"),
        "data": str(synthetic_england),
        "out": str(tmp_path),
    }
    path, made = ROOT / "notebooks" / "1_design.ipynb", []
    for run in (lambda *asked: alone(*asked)[0], lambda *asked: by_a_kernel(*asked, tmp_path / "kernel", monkeypatch)):
        done = run(path, given)
        made.append((notebook_bytes(tidy(done, given, {})), (tmp_path / "design.json").read_bytes()))
        (tmp_path / "design.json").unlink()
    assert made[0] == made[1]


LEAVES = """
import builtins, decimal, io, json, logging, os, pathlib, random, signal, sys, warnings
import numpy as np, pandas as pd, matplotlib, matplotlib.pyplot as plt
import evalkit.core.words, evalkit.core.quantities as quantities
left = 1
evalkit.core.words.LEFT = 1
evalkit.core.words.counted = len
quantities.Estimand.LEFT_IN_CLASS = 1
json.left = 1
builtins.left_everywhere = 1
os.environ["LEFT"] = "1"
os.environ.pop("PATH")
sys.path.insert(0, os.getcwd())
pathlib.Path("module_left_behind.py").write_text("x = 1")
import module_left_behind
os.chdir("/")
matplotlib.rcParams["lines.linewidth"] = 9
plt.figure()
plt.ion()
warnings.simplefilter("error")
np.set_printoptions(precision=1)
np.seterr(all="raise")
pd.set_option("display.max_rows", 3)
decimal.getcontext().prec = 3
random.seed(1); np.random.seed(1)
logging.root.setLevel(1); logging.disable(50)
os.umask(0)
sys.argv.append("left")
sys.stdout = io.StringIO()
sys.excepthook = None
del sys.modules["json"]
"""


def state() -> dict:
    """Return what a notebook could change of this process."""
    umask = os.umask(0o22)
    os.umask(umask)
    return {
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "path": list(sys.path),
        "arguments": list(sys.argv),
        "streams": [sys.stdin, sys.stdout, sys.stderr, sys.displayhook, sys.excepthook],
        "main": sys.modules["__main__"],
        "json": (sys.modules["json"], json.dumps, vars(json).keys() - {"tool"}),
        "names": dict(vars(sys.modules["evalkit.core.words"])),
        "class": dict(vars(sys.modules["evalkit.core.quantities"].Estimand)),
        "built in": set(vars(sys.modules["builtins"])),
        "settings": dict(mpl.rcParams.items()),
        "figures": plt.get_fignums(),
        "filters": list(__import__("warnings").filters),
        "numpy": (np.get_printoptions(), np.geterr()),
        "rows": pd.get_option("display.max_rows"),
        "digits": __import__("decimal").getcontext().prec,
        "logging": (__import__("logging").root.level, __import__("logging").root.manager.disable),
        "umask": umask,
        "handlers": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "timer": signal.getitimer(signal.ITIMER_REAL),
        "foreign": "module_left_behind" in sys.modules,
    }


@pytest.mark.parametrize("last", ["1", "1 / 0", "import sys\nsys.exit(3)", "exit()", "raise KeyboardInterrupt"])
def test_nothing_that_a_notebook_does_to_the_process_is_left(tmp_path, last):
    execute(notebook(tmp_path, "1"), GIVEN)  # what is imported at the first is there before and after
    before = state()
    path = notebook(tmp_path, LEAVES + "\nimport signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)", last)
    if last == "1":
        execute(path, GIVEN)
    else:
        with pytest.raises((EvalkitError, KeyboardInterrupt)):
            execute(path, GIVEN)
    after = state()
    for name, value in before.items():
        assert after[name] == value, name


SEES = """
import json, os, sys, warnings
import evalkit.core.words, matplotlib
left = sorted(name for name in globals() if "left" in name)
print(json.dumps([left, hasattr(evalkit.core.words, "LEFT"), "LEFT" in os.environ,
    matplotlib.rcParams["lines.linewidth"], os.listdir(), "module_left_behind" in sys.modules,
    __builtins__.__dict__.get("left_everywhere")]))
"""


def test_a_notebook_sees_nothing_of_the_one_before(tmp_path):
    execute(notebook(tmp_path, LEAVES), GIVEN)
    assert last_words(execute(notebook(tmp_path, SEES), GIVEN)) == [[], False, False, 1.5, ["ipython"], False, None]


def test_a_warning_is_shown_in_every_notebook_that_gives_it(tmp_path):
    path = notebook(tmp_path, "import warnings\nfor _ in range(2):\n    warnings.warn('careful')")
    first, second = ([output["text"] for output in done["cells"][-1]["outputs"]] for done in alone(path, times=2))
    assert first == second
    assert "".join(first).count("careful") == 2  # in its text, and in the line of code that is shown


def test_random_numbers_that_nobody_seeded_differ(tmp_path):
    path = notebook(
        tmp_path, "import json, random, numpy as np\nprint(json.dumps([random.random(), np.random.random()]))"
    )
    drawn = [number for _ in range(3) for number in last_words(execute(path, GIVEN))]
    assert len(set(drawn)) == 6


def test_a_name_of_the_package_that_a_notebook_replaced_counts_for_it_alone(tmp_path):
    before = evalkit.core.words.counted(2, "school")
    asked = "import evalkit.core.words as w\nw.counted = lambda *a: 'none'\nprint(w.counted(2, 'school'))"
    assert execute(notebook(tmp_path, asked), GIVEN)["cells"][-1]["outputs"][0]["text"] == "none\n"
    assert evalkit.core.words.counted(2, "school") == before == "2 schools"


@pytest.mark.parametrize(
    "source", ["import sys\nsys.exit()", "import sys\nsys.exit(0)", "exit()", "quit", "raise SystemExit(4)"]
)
def test_a_cell_that_leaves_is_a_failure(tmp_path, source):
    with pytest.raises(EvalkitError, match="ended by its own code") as caught:
        execute(notebook(tmp_path, source, "print('not reached')"), GIVEN)
    assert caught.value.call.endswith(source.splitlines()[-1])


def test_an_error_of_another_library_with_the_name_of_ours_is_not_taken_for_ours(tmp_path):
    """The text of another's error may hold what was in the data."""
    with pytest.raises(NotebookFailure) as caught:
        execute(notebook(tmp_path, "import pandas as pd\nraise pd.errors.DataError('pupil 17')"), GIVEN)
    assert "pupil 17" not in str(caught.value)
    with pytest.raises(DataError, match=r"^pupils\.csv: is empty\.$"):
        execute(
            notebook(tmp_path, "from evalkit.core.errors import DataError\nraise DataError('pupils.csv: is empty.')"),
            GIVEN,
        )


@pytest.mark.parametrize("source", ["x = (", "%no_such_magic", "!", "class A:\n    def __repr__(self): 1 / 0\nA()"])
def test_code_that_cannot_run_or_be_shown_is_a_failure(tmp_path, source):
    with pytest.raises(NotebookFailure):
        execute(notebook(tmp_path, source if source != "!" else "def f(:"), GIVEN)


def test_a_cell_cannot_read_what_belongs_to_the_process(tmp_path):
    with pytest.raises(NotebookFailure, match="EOFError"):
        execute(notebook(tmp_path, "input('How many? ')"), GIVEN)


def test_an_interruption_of_a_cell_ends_the_run(tmp_path):
    path = notebook(tmp_path, "import time\ntime.sleep(60)", "print('not reached')")
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        execute(path, GIVEN)
    assert time.monotonic() - began < 30


@pytest.mark.skipif(os.name == "nt", reason="no timers of signals there: the limit of the project counts")
def test_a_cell_that_takes_too_long_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(execution, "CELL_SECONDS", 1)
    began = time.monotonic()
    with pytest.raises(EvalkitError, match="took longer than") as caught:
        execute(notebook(tmp_path, "import time\ntry:\n    time.sleep(600)\nexcept Exception:\n    pass"), GIVEN)
    assert time.monotonic() - began < 60
    assert "time.sleep(600)" in caught.value.call
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_nothing_is_written_to_the_home_of_the_user(tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    execute(notebook(tmp_path, "1 + 1"), GIVEN)
    assert list(home.rglob("*")) == []


def test_no_settings_of_the_user_are_read(tmp_path, monkeypatch):
    startup = tmp_path / "home" / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "1.py").write_text("from_startup = 1")
    (startup.parent / "ipython_config.py").write_text(
        "get_config().InteractiveShellApp.exec_lines = ['from_config = 1']"
    )
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    done = execute(notebook(tmp_path, "'from_startup' in globals() or 'from_config' in globals()"), GIVEN)
    assert done["cells"][-1]["outputs"][0]["data"]["text/plain"] == "False"


def test_nothing_is_left_in_the_folder_for_temporary_files(tmp_path, monkeypatch):
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    execute(notebook(tmp_path, "import pathlib\npathlib.Path('left.txt').write_text('x')"), GIVEN)
    assert list(deep.iterdir()) == []


def test_a_notebook_runs_in_this_process_and_in_a_main_module_of_its_own(tmp_path):
    asked = "import json, os, sys\nprint(json.dumps([os.getpid(), sys.modules['__main__'].__dict__ is globals()]))"
    assert last_words(execute(notebook(tmp_path, asked), GIVEN)) == [os.getpid(), True]
    assert isinstance(sys.modules["__main__"], types.ModuleType)


def test_what_is_written_past_the_streams_is_no_output_of_the_cell(tmp_path):
    program = (
        "import sys\nfrom pathlib import Path\nfrom evalkit.run.notebooks.execute import execute\n"
        "print(execute(Path(sys.argv[1]), {'project_file': 'a', 'data': '', 'out': ''})['cells'][-1]['outputs'])"
    )
    path = notebook(tmp_path, "import os\nn = os.write(2, b'noise')")
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == "[]"
    assert "noise" in done.stderr


def test_variables_say_one_thread_and_no_folder_of_the_user(tmp_path):
    seen = environment(tmp_path)
    assert ONE_THREAD.items() <= seen.items()
    assert seen["IPYTHONDIR"].startswith(str(tmp_path))
    assert seen["JUPYTER_CONFIG_DIR"].startswith(str(tmp_path))
