"""Two runs of the Knowsley project that differ in the list of neighbours: what the list does, by number."""

import json
from dataclasses import replace

import pytest

from evalkit.core.manifest import InputFile
from evalkit.data.published.sources import find_sources
from evalkit.run.console import Progress
from evalkit.run.outputs.hashes import Hashes
from evalkit.run.outputs.manifest import make_manifest, manifest_bytes
from evalkit.run.project.project_file import load_project
from evalkit.run.review.compare import comparison
from evalkit.run.review.compare_page import comparison_record
from evalkit.run.review.finished import finished_run
from tests.conftest import ROOT

FILE = ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml"
APRIL, MAY = 0.9381085293797803, 1.354931053502482
"""Reading, 2019 less the mean of 2016 and 2017, by the lists of April 2021 and May 2025, as the reports print them."""


def written(folder, project, sources, estimate):
    """Write what a run leaves of a project, with the one effect that is compared."""
    effect = {"outcome": "READPROG", "main": True, "design": "neighbours", "estimate": estimate}
    folder.mkdir()
    (folder / "results.json").write_text(json.dumps({"analyses": [{"name": "main", "effects": [effect]}]}))
    files = [(f"data/{path.relative_to(sources.folder).as_posix()}", path) for path in sources.files()]
    inputs = [InputFile(path=name, sha256=Hashes().of(path)) for name, path in [("project/project.yml", FILE), *files]]
    (folder / "manifest.json").write_bytes(manifest_bytes(make_manifest(project, sources, tuple(inputs), {})))
    return finished_run(str(folder), folder)


@pytest.mark.slow
def test_the_list_of_neighbours_alone_makes_the_difference(shared_data, tmp_path):
    project, sources = load_project(FILE), find_sources(shared_data)
    lists = replace(project.pool, neighbours="may_2025", alternative_neighbours="april_2021")
    a = written(tmp_path / "a", project, sources, APRIL)
    b = written(tmp_path / "b", replace(project, pool=lists), sources, MAY)
    (tmp_path / "scratch").mkdir()
    found = comparison_record(comparison(a, b, shared_data, tmp_path / "scratch", Progress(is_quiet=True)))
    assert [(one["block"], one["fields"]) for one in found["blocks"]] == [
        ("comparison", ["pool.neighbours", "pool.alternative_neighbours"])
    ]
    part = found["blocks"][0]["effects"][0]
    assert round(part["a"], 2) == 0.94
    assert round(part["b"], 2) == 1.35
    assert part["difference"] == pytest.approx(MAY - APRIL, abs=1e-9)
    assert part["first_in"] == part["last_in"] == part["difference"]
    assert found["remainder"][0]["difference"] == 0.0
