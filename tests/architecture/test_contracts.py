"""Who may know whom: the import contracts, ruff, mypy and a network that nobody calls at import."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from source_tree import ROOT, modules

LAYERS = ["run", "report", "diagnose", "estimate", "design", "data", "core"]

WITHOUT_NETWORK = """
import importlib, pkgutil, socket

def refuse(*arguments, **options):
    raise SystemExit("the network was called at import")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse
import evalkit

for module in pkgutil.walk_packages(evalkit.__path__, "evalkit."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print("imported")
"""


def run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a program of this environment and return what it said."""
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=540)


def program(name: str) -> str:
    """Return the path of a program beside this Python."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    assert found, f"{name} is not installed: type `python3 run.py setup`"
    return found


def contracts() -> list[dict[str, object]]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]


def test_import_contracts_hold():
    answer = run(program("lint-imports"), "--no-cache")
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_layers_contract_names_every_room_in_order():
    [layers] = [contract for contract in contracts() if contract["type"] == "layers"]
    assert [layer for layer in layers["layers"] if not layer.startswith("(")] == LAYERS
    assert layers["exhaustive"] is True
    rooms = {path.parent.name for path in (ROOT / "evalkit").glob("*/__init__.py")}
    assert rooms == set(LAYERS)


def broken_copy(tmp_path: Path, module: str, line: str) -> Path:
    """Return a copy of the kit in which one module also imports what it may not."""
    shutil.copytree(ROOT / "evalkit", tmp_path / "evalkit", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / module
    path.write_text(path.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("evalkit/data/__init__.py", "import evalkit.report", "Layers point downwards only BROKEN"),
        ("evalkit/run/__init__.py", "import matplotlib", "Only report draws BROKEN"),
        ("evalkit/report/__init__.py", "import papermill", "Only run executes notebooks and batches BROKEN"),
        ("evalkit/core/__init__.py", "import pandas", "core sees arrays, not tables BROKEN"),
        ("evalkit/report/__init__.py", "import rpy2", "No library under the GPL or AGPL BROKEN"),
    ],
)
def test_a_forbidden_import_breaks_its_contract(tmp_path, module, line, contract):
    answer = run(program("lint-imports"), "--no-cache", cwd=broken_copy(tmp_path, module, line))
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert contract in answer.stdout


def test_ruff_passes():
    answer = run(program("ruff"), "check", "--no-cache", "evalkit", "tests", "tools", "run.py")
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_mypy_strict_passes():
    answer = run(sys.executable, "-m", "mypy")
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_mypy_is_strict_for_the_whole_kit():
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    assert table["strict"] is True
    assert table["packages"] == ["evalkit"]
    assert not [path for path in modules() if "mypy: ignore-errors" in path.read_text(encoding="utf-8")]


def test_importing_every_module_calls_no_network():
    answer = run(sys.executable, "-c", WITHOUT_NETWORK)
    assert answer.stdout.strip() == "imported", answer.stdout + answer.stderr
