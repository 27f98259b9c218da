"""The script that measures how hard the house is to read."""

import importlib.util

import pytest
from source_tree import ROOT


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("measure_house", ROOT / "tools" / "measure_house.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_depth_circles_and_importers_by_hand(tool, tmp_path):
    # top → left ⇄ right → floor; an import for types and one inside a function do not count: depth 3, one circle
    package = tmp_path / "kit"
    package.mkdir()
    texts = {
        "__init__": "",
        "top": "from kit.left import x\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import kit.floor\n",
        "left": "from kit import right\nx = 1\n",
        "right": "import kit.left\nfrom kit.floor import y\n",
        "floor": "y = 1\ndef late():\n    import kit.top\n\nclass A: ...\n\nclass _B: ...\n",
    }
    for name, text in texts.items():
        (package / f"{name}.py").write_text(text)
    imports = {name: tool.imports_of(path, tool.modules(package)) for name, path in tool.modules(package).items()}
    assert imports["kit.top"] == {"kit.left"}
    assert tool.depth_of(imports) == 3
    found = dict(tool.house(package))
    assert found["files"] == "5"
    assert found["circles of files"] == "1"
    assert found["modules with one importer"] == "2"  # right and floor; left is imported by top and right
    assert found["classes (private ones; names with two homes)"] == "2 (1; 0)"


def test_the_kit_has_no_circle_of_files(tool):
    assert dict(tool.house(ROOT / "evalkit"))["circles of files"] == "0"
