"""run.py: what it asks of a machine, what it says, and that it is safe and quick to repeat."""

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT / "run.py"


def load():
    spec = importlib.util.spec_from_file_location("run_py", RUN)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run_py():
    return load()


@pytest.fixture
def ready(run_py, tmp_path):
    """A folder that looks like an environment whose set-up has finished."""
    folder = tmp_path / "ready"
    Path(run_py.venv_programs(str(folder))).mkdir(parents=True)
    python = Path(run_py.venv_python(str(folder)))
    python.symlink_to(sys.executable)
    (folder / "pyvenv.cfg").write_text("version = 3.11.7\n")
    (folder / run_py.STAMP).write_text(json.dumps({"key": run_py.setup_key(str(folder))}))
    return folder


def test_it_parses_on_an_older_python():
    ast.parse(RUN.read_text(encoding="utf-8"), feature_version=(3, 7))


def test_it_imports_the_standard_library_only():
    tree = ast.parse(RUN.read_text(encoding="utf-8"))
    plain = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    whole = [*plain, *(node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))]
    assert [name for name in whole if name.split(".")[0] not in sys.stdlib_module_names] == []


@pytest.mark.parametrize("version", [(3, 11), (3, 13), (4, 0)])
def test_a_python_that_is_new_enough_is_taken(run_py, version):
    run_py.require_python(version)


def test_an_old_python_is_refused_with_what_to_do(run_py, monkeypatch):
    monkeypatch.setattr(run_py.shutil, "which", lambda name: None)
    with pytest.raises(run_py.SetupError, match=r"3\.11 or later, and this is Python 3\.9\. Install a newer Python"):
        run_py.require_python((3, 9))


def test_an_old_python_names_the_newer_one_that_is_there(run_py, monkeypatch):
    monkeypatch.setattr(run_py.shutil, "which", lambda name: name if name == "python3.12" else None)
    monkeypatch.setattr(run_py.subprocess, "call", lambda *arguments, **options: 0)
    with pytest.raises(run_py.SetupError, match=r"python3\.12 run\.py"):
        run_py.require_python((3, 9))


def without(run_py, monkeypatch, module, *, apt):
    monkeypatch.setattr(run_py.shutil, "which", lambda name: "apt-get" if apt and name == "apt-get" else None)
    monkeypatch.setattr(run_py.importlib.util, "find_spec", lambda name: None if name == module else object())


def test_a_missing_ensurepip_prints_the_line_to_type(run_py, monkeypatch):
    without(run_py, monkeypatch, "ensurepip", apt=True)
    line = "sudo apt-get install python3-venv python{}.{}-venv".format(*sys.version_info[:2])
    with pytest.raises(run_py.SetupError) as problem:
        run_py.require_modules(["venv", "ensurepip"])
    assert f"\n    {line}\n" in str(problem.value)
    assert "no module ensurepip" in str(problem.value)


def test_a_missing_ensurepip_elsewhere_does_not_speak_of_apt(run_py, monkeypatch):
    without(run_py, monkeypatch, "ensurepip", apt=False)
    with pytest.raises(run_py.SetupError, match="your system's packages") as problem:
        run_py.require_modules(["venv", "ensurepip"])
    assert "apt-get" not in str(problem.value)


def test_a_failed_set_up_exits_3(run_py, monkeypatch, capsys):
    def fail(folder):
        raise run_py.SetupError("The reason.")

    monkeypatch.setattr(run_py, "set_up", fail)
    monkeypatch.setattr(run_py.signal, "signal", lambda *arguments: None)
    assert run_py.main(["setup"]) == 3
    assert capsys.readouterr().err == "evalkit cannot be set up. The reason.\n"


def test_an_interrupted_set_up_exits_130(run_py, monkeypatch):
    def interrupt(folder):
        raise KeyboardInterrupt

    monkeypatch.setattr(run_py, "set_up", interrupt)
    monkeypatch.setattr(run_py.signal, "signal", lambda *arguments: None)
    assert run_py.main(["setup"]) == 130


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], ["-m", "evalkit", "run", "knowsley-ssif"]),
        (["--data", "d"], ["-m", "evalkit", "run", "knowsley-ssif", "--data", "d"]),
        (["evalkit", "projects"], ["-m", "evalkit", "projects"]),
    ],
)
def test_arguments_are_passed_on(run_py, arguments, expected):
    assert run_py.child_command("python", arguments) == ["python", *expected]


def test_test_runs_pytest_and_setup_runs_nothing(run_py):
    command = run_py.child_command("python", ["test", "-k", "x"])
    assert command[:3] == ["python", "-m", "pytest"]
    assert command[-2:] == ["-k", "x"]
    assert run_py.child_command("python", ["setup"]) is None


def test_docs_builds_the_site_and_stops_at_a_warning(run_py):
    command = run_py.child_command("python", ["docs"])
    assert command[:3] == ["python", "-m", "sphinx"]
    assert "-W" in command
    assert command[-1] == run_py.SITE


def test_a_finished_set_up_is_known(run_py, ready):
    assert run_py.is_ready(str(ready))


@pytest.mark.parametrize("damage", ["no stamp", "half a stamp", "other stamp", "no python", "other python"])
def test_an_unfinished_or_outdated_set_up_is_known(run_py, ready, damage):
    stamp, python = ready / run_py.STAMP, Path(run_py.venv_python(str(ready)))
    if damage == "no stamp":
        stamp.unlink()
    elif damage == "half a stamp":
        stamp.write_text('{"key": "')
    elif damage == "other stamp":
        stamp.write_text('{"key": "0"}')
    elif damage == "no python":
        python.unlink()
    else:
        (ready / "pyvenv.cfg").write_text("version = 3.12.1\n")
    assert not run_py.is_ready(str(ready))


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml", "run.py"])
def test_a_changed_lock_or_project_file_changes_the_key(run_py, ready, tmp_path, monkeypatch, name):
    for file in ("requirements.lock", "pyproject.toml", "run.py"):
        (tmp_path / file).write_bytes((ROOT / file).read_bytes())
    monkeypatch.setattr(run_py, "ROOT", str(tmp_path))
    before = run_py.setup_key(str(ready))
    (tmp_path / name).write_text("changed")
    assert run_py.setup_key(str(ready)) != before


def test_a_folder_with_something_else_is_left_alone(run_py, tmp_path):
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(run_py.SetupError, match="left alone"):
        run_py.empty_own_folder(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_a_folder_that_a_set_up_began_is_emptied(run_py, tmp_path):
    run_py.empty_own_folder(str(tmp_path / "new"))
    (tmp_path / "new" / "bin").mkdir()
    (tmp_path / "new" / "bin" / "python").write_text("half")
    run_py.empty_own_folder(str(tmp_path / "new"))
    assert [path.name for path in (tmp_path / "new").iterdir()] == [run_py.STARTED]


def test_a_set_up_that_was_stopped_while_installing_starts_afresh(run_py, tmp_path, monkeypatch):
    def be_killed(folder, title, options):
        raise KeyboardInterrupt

    folder = tmp_path / "new"
    monkeypatch.setattr(run_py, "step", lambda title, command: (folder / "half").touch())
    monkeypatch.setattr(run_py, "is_healthy", lambda folder: (Path(folder) / "half").exists())
    monkeypatch.setattr(run_py, "install", be_killed)
    with pytest.raises(KeyboardInterrupt):
        run_py.make_ready(str(folder))
    assert run_py.was_interrupted(str(folder))
    (folder / "left").touch()
    run_py.ensure_venv(str(folder))
    assert sorted(path.name for path in folder.iterdir()) == [run_py.STARTED, "half"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("NewConnectionError: Temporary failure in name resolution", "package index cannot be reached"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "was refused"),
        ("something new", "starts afresh"),
    ],
)
def test_a_failed_step_is_explained(run_py, line, sentence):
    text = run_py.explain("installing", ["first", line])
    assert sentence in text
    assert line in text


def test_a_step_that_fails_raises_with_its_last_lines(run_py):
    with pytest.raises(run_py.SetupError, match="gone wrong"):
        run_py.step("trying", [sys.executable, "-c", "print('gone wrong'); raise SystemExit(1)"])


def test_a_slow_step_shows_that_it_lives(run_py, monkeypatch, capsys):
    monkeypatch.setattr(run_py, "HEARTBEAT_SECONDS", 0.1)
    code = "import time; print('Collecting numpy==2.3 (from -r x)', flush=True); time.sleep(1)"
    run_py.step("waiting", [sys.executable, "-c", code])
    said = capsys.readouterr().out
    assert "s  finding numpy" in said
    assert "finding numpy, for 1 s" in said  # what has not changed for long is not told as new


@pytest.mark.parametrize(
    ("line", "stage"),
    [
        ("Collecting numpy==2.3.5 (from -r requirements.lock (line 3))", "finding numpy"),
        ("  Downloading numpy-2.3.5-cp311-cp311-manylinux_2_28_x86_64.whl (16.9 MB)", "fetching numpy-2.3.5-cp311-"),
        ("  Downloading https://example.org/packages/a.whl (1 MB)", "fetching a.whl"),
        ("Downloading scipy (35.0MiB)", "fetching scipy"),
        ("Using cached six-1.17.0-py2.py3-none-any.whl (11 kB)", "finding six-1.17.0-py2.py3-none-any.whl"),
        ("Installing collected packages: a, b, c", "unpacking 3 packages"),
        ("Building editable for evalkit (pyproject.toml): started", "building evalkit"),
        ("Prepared 12 packages in 1s", "unpacking packages"),
        ("WARNING: Location 'x' is ignored: it is either a non-existing path or lacks a specific scheme.", ""),
        ("    Successfully uninstalled setuptools-65.5.0", ""),
        ("Ignoring pywin32: markers 'sys_platform == \"win32\"' don't match your environment", ""),
        ("", ""),
    ],
)
def test_what_a_package_client_says_is_told_in_words_or_not_at_all(run_py, line, stage):
    said = run_py.stage_of(line)
    assert said.startswith(stage) if stage else said == ""


def test_chatter_changes_no_stage_and_is_not_among_the_last_lines_of_a_failure(run_py):
    stage = run_py.Stage(0.0)
    stage.hear("Collecting numpy")
    stage.hear("    Successfully uninstalled setuptools-65.5.0")
    assert stage.now[0] == "finding numpy"
    text = run_py.explain(
        "installing", ["WARNING: Location 'x' is ignored", "  Successfully uninstalled y", "an error"]
    )
    assert text.endswith("The last lines were:\nan error")


def test_two_set_ups_do_not_run_at_once(run_py, tmp_path, capsys):
    folder, order = str(tmp_path / "venv"), []

    def second():
        with run_py.only_one(folder):
            order.append("second")

    with run_py.only_one(folder):
        other = threading.Thread(target=second)
        other.start()
        time.sleep(0.3)
        order.append("first")
    other.join(timeout=10)
    assert order == ["first", "second"]
    assert "Another set-up" in capsys.readouterr().out


def test_a_killed_set_up_leaves_no_lock_behind(run_py, tmp_path):
    code = "import os, runpy; m = runpy.run_path({!r})\nwith m['only_one']({!r}): os._exit(9)"
    subprocess.run([sys.executable, "-c", code.format(str(RUN), str(tmp_path / "venv"))], check=False)
    with (tmp_path / "venv.lock").open("a+b") as file:
        assert run_py.try_lock(file)


@pytest.mark.parametrize(("code", "expected"), [("0", 0), ("2", 2), ("__import__('os').kill(os.getpid(), 9)", 137)])
def test_the_exit_code_is_passed_on(run_py, monkeypatch, code, expected):
    monkeypatch.setattr(run_py.signal, "signal", lambda *arguments: None)
    command = [sys.executable, "-c", f"import os, sys; sys.exit({code})"]
    assert run_py.run_child(command, dict(os.environ), None) == expected


def test_python_and_pip_are_not_sent_elsewhere(run_py, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("PIP_TARGET", "elsewhere")
    assert not {"PYTHONPATH", "PIP_TARGET"} & set(run_py.activated_environment("venv", one_thread=False))


def test_help_needs_no_set_up(tmp_path):
    variables = {**os.environ, "EVALKIT_VENV": str(tmp_path / "none")}
    answer = subprocess.run(
        [sys.executable, str(RUN), "--help"], env=variables, capture_output=True, text=True, check=True
    )
    assert "python3 run.py test" in answer.stdout
    assert not (tmp_path / "none").exists()


def test_ci_runs_the_second_command_with_a_browser_and_nothing_else():
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    without_browser = re.sub(r"^if ! command -v chromium .*?^fi$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert without_browser != text
    lines = without_browser.splitlines()
    assert [line for line in lines if line and not line.startswith(("#", "set ", "cd "))] == ["python3 run.py test"]
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
