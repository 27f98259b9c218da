"""What a project file may declare of missing outcomes, and what is refused."""

import pytest

from evalkit.core.errors import ProjectError
from evalkit.core.project import Imputation, Missing
from evalkit.run.project.project_file import load_project
from tests.conftest import ROOT

TEXT = (ROOT / "data" / "projects" / "knowsley-ssif" / "project.yml").read_text(encoding="utf-8")


def loaded(tmp_path, declared):
    for one in (ROOT / "data" / "projects" / "knowsley-ssif").iterdir():
        if one.is_file():
            (tmp_path / one.name).write_bytes(one.read_bytes())
    path = tmp_path / "project.yml"
    path.write_text(f"{TEXT}\n{declared}", encoding="utf-8")
    return load_project(path)


def test_everything_is_on_where_nothing_is_said(tmp_path):
    assert loaded(tmp_path, "").missing == Missing()
    assert Missing() == Missing(bounds="lee", imputation=Imputation(draws=20), tipping=True, suppressed="worst-best")


def test_each_part_can_be_left_out(tmp_path):
    text = "missing: {bounds: none, imputation: null, tipping: false, suppressed: none}"
    assert loaded(tmp_path, text).missing == Missing(bounds="none", imputation=None, tipping=False, suppressed="none")


def test_too_few_draws_are_refused_with_their_place(tmp_path):
    with pytest.raises(ProjectError) as told:
        loaded(tmp_path, "missing:\n  imputation: {draws: 5}")
    assert "missing.imputation.draws" in str(told.value)
    assert "from 20 to 500, found 5" in str(told.value)


def test_a_tipping_point_needs_what_it_shifts(tmp_path):
    with pytest.raises(ProjectError, match="Write `tipping: false` as well"):
        loaded(tmp_path, "missing: {imputation: null}")


def test_every_key_that_is_not_known_is_told_at_once(tmp_path):
    with pytest.raises(ProjectError) as told:
        loaded(tmp_path, "missing: {bound: lee, suppressed: worst, imputation: {draw: 20}}")
    for key in ("missing.bound", "missing.suppressed", "missing.imputation.draw"):
        assert key in str(told.value)
