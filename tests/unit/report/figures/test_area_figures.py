"""Figures of treated areas: what is drawn, said and tabled."""

import numpy as np
import pytest

from evalkit.estimate.synthetic.control import synthetic_control
from evalkit.estimate.synthetic.placebos import placebo_in_space
from evalkit.report.figures.areas import gaps_plot, synthetic_plot
from tests.unit.estimate.area_tables import design_of, factor_values


@pytest.fixture(scope="module")
def values():
    found = factor_values(np.random.default_rng(4), 12, 12, noise=0.1)
    found[0] = found[1:].mean(axis=0) + 3 * (np.arange(12) >= 9)
    return found


def test_the_series_and_its_synthetic_one(values):
    found = synthetic_control(design_of(values, 2010))
    figure = synthetic_plot(found, lambda area: f"Area {area}")
    assert figure.png.startswith(b"\x89PNG")
    assert "Area A1" in figure.alt
    assert "The programme began in 2010" in figure.alt
    assert figure.data.table.column("gap") == tuple(row.gap for row in found.gaps)
    assert figure.svg == synthetic_plot(found, lambda area: f"Area {area}").svg


def test_gaps_among_placebos(values):
    found = synthetic_control(design_of(values, 2010))
    space = placebo_in_space(found)
    figure = gaps_plot(found, space)
    assert "among 11 placebos" in figure.alt
    assert len(figure.data.table.rows) == 12
    assert figure.data.table.rows[0][1] == found.estimate
    assert "of 11 placebos" in figure.caption


def test_a_poor_fit_draws_no_estimate(values):
    found = synthetic_control(design_of(values + np.r_[9, np.zeros(11)][:, None], 2010))
    series, gaps = synthetic_plot(found), gaps_plot(found, placebo_in_space(found))
    assert "not shown" in series.alt
    assert "No gap is drawn" in gaps.alt
    assert "Drawn: none" in gaps.caption


def test_few_donors_without_placebos():
    found = synthetic_control(design_of([[1, 2, 3], [0, 1, 2], [2, 3, 4]], 2003))
    figure = gaps_plot(found, placebo_in_space(found))
    assert len(figure.data.table.rows) == 1
