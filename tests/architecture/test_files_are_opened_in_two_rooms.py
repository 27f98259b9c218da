"""Only data's readers and writers and run open files."""

import ast

import pytest
from source_tree import PACKAGE, modules, shown, tree

OPENERS = {
    "open",
    "fdopen",
    "read_text",
    "write_text",
    "read_bytes",
    "write_bytes",
    "to_csv",
    "to_excel",
    "to_parquet",
    "to_feather",
    "to_pickle",
    "to_hdf",
    "load_workbook",
    "read_table",
    "write_table",
    "loadtxt",
    "savetxt",
    "genfromtxt",
    "memmap",
    "fromfile",
    "tofile",
    "mkdir",
    "makedirs",
    "unlink",
    "rmtree",
    "copytree",
    "copyfile",
    "iterdir",
    "scandir",
    "listdir",
    "read_csv",
    "read_excel",
    "read_parquet",
    "read_json",
    "read_feather",
    "read_pickle",
    "read_fwf",
    "read_html",
    "read_sql",
    "read_stata",
    "read_sas",
    "read_spss",
    "read_hdf",
}
NETWORK_AND_DISK_MODULES = {
    "urllib.request",
    "requests",
    "http.client",
    "socket",
    "shutil",
    "tempfile",
    "ftplib",
    "httpx",
}
OPEN_ROOMS = ("data", "run")


def called_name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def is_package_resource(call: ast.Call) -> bool:
    """Return whether the call reads a file of the package itself: importlib.resources' files(...)."""
    return any(isinstance(node, ast.Call) and called_name(node) == "files" for node in ast.walk(call.func))


def is_text_writer(call: ast.Call) -> bool:
    """Return whether the call is a frame's to_csv without a path, which returns text."""
    named = [keyword.arg for keyword in call.keywords]
    return called_name(call) == "to_csv" and not call.args and not {"path_or_buf", None} & set(named)


def opens(call: ast.Call) -> bool:
    return called_name(call) in OPENERS and not is_package_resource(call) and not is_text_writer(call)


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def openings(module: ast.Module) -> list[str]:
    """Return each place where a module opens a file or reaches for the disk or the network."""
    found = []
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and opens(node):
            found.append(f"line {node.lineno}: {called_name(node)}")
        forbidden = NETWORK_AND_DISK_MODULES.intersection(imported(node))
        found += [f"line {node.lineno}: import {name}" for name in sorted(forbidden)]
    return found


CLOSED = [path for path in modules() if path.relative_to(PACKAGE).parts[0] not in OPEN_ROOMS]


@pytest.mark.parametrize("path", CLOSED, ids=shown)
def test_a_closed_room_opens_no_file(path):
    assert openings(tree(path)) == []


@pytest.mark.parametrize(
    "source",
    [
        "open('x')",
        "Path('x').open()",
        "path.read_text()",
        "pd.read_csv(path)",
        "frame.to_csv(path)",
        "import shutil",
        "from urllib import request",
        "import requests",
        "(folder / 'x').mkdir()",
    ],
)
def test_an_opening_is_found(source):
    assert len(openings(ast.parse(source))) == 1


def test_a_frame_may_be_written_as_text():
    assert openings(ast.parse("frame.to_csv(index=False)")) == []
    assert len(openings(ast.parse("frame.to_csv(path_or_buf=path)"))) == 1


def test_a_file_of_the_package_may_be_read():
    assert openings(ast.parse("files('evalkit.report').joinpath('report.css').read_text()")) == []
