"""A workspace of small projects, some of which come to grief in ways of their own."""

import json
from pathlib import Path

import yaml

from tests.conftest import ROOT

NOTEBOOKS = ROOT / "notebooks"
TROUBLE = """\
from pathlib import Path
trouble = Path(project_file).with_name("trouble.py")
exec(trouble.read_text() if trouble.exists() else "")
"""
RAISES = "raise KeyError('pupil 17 of St Anne')"
HANGS = "import time\ntime.sleep(3600)"
DIES = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"


def make_workspace(root: Path) -> Path:
    """Fill a folder with the notebooks, one of which does what a file `trouble.py` beside the project file says."""
    (root / "data" / "projects").mkdir(parents=True)
    (root / "notebooks").mkdir()
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        content = json.loads(path.read_text(encoding="utf-8"))
        if path.stem == "1_design":
            content["cells"] += [_markdown("## What could go wrong?"), _code(TROUBLE)]
        (root / "notebooks" / path.name).write_text(json.dumps(content), encoding="utf-8")
    return root


def add_project(root: Path, slug: str, trouble: str = "") -> Path:
    """Write the smallest project there can be: one outcome, no claims."""
    source = ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml"
    content = yaml.safe_load(source.read_text(encoding="utf-8"))
    for key in ("contrasts", "claims", "cost", "contamination"):
        content.pop(key, None)
    content["slug"] = slug
    content["outcomes"] = [{"measure": "READPROG", "role": "primary"}]
    content["programme"] |= {key: str(content["programme"][key]) for key in ("start", "end")}
    folder = root / "data" / "projects" / slug
    folder.mkdir()
    (folder / "project.yml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    if trouble:
        (folder / "trouble.py").write_text(trouble, encoding="utf-8")
    return folder


def give_bad_data(folder: Path) -> None:
    """Let a project name a school that no file knows."""
    path = folder / "project.yml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["participants"] = {"file": "participants.csv"}
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    (folder / "participants.csv").write_text("URN\n999999\n", encoding="utf-8")


def _markdown(text: str) -> dict:
    return {"cell_type": "markdown", "metadata": {}, "source": text, "id": "trouble-said"}


def _code(text: str) -> dict:
    cell = {"cell_type": "code", "metadata": {}, "source": text, "id": "trouble-made"}
    return {**cell, "outputs": [], "execution_count": None}
