"""Losses by arm, counted by hand."""

import pytest

from evalkit.core.quantities import Unavailable
from evalkit.data.flow import Flow, FlowRow
from evalkit.diagnose.project.flows import attrition_of


def rows(arm, outside, lost, analysed):
    return (
        FlowRow("READPROG", arm, "listed", "", outside + lost + analysed),
        FlowRow("READPROG", arm, "excluded", "not mainstream state-funded (special)", outside),
        FlowRow("READPROG", arm, "excluded", "2019: suppressed", lost),
        FlowRow("READPROG", arm, "analysed", "", analysed),
    )


def test_shares_by_hand():
    flow = Flow((*rows("treated", 2, 1, 49), *rows("comparison", 30, 20, 180)))
    found = attrition_of(flow, "READPROG")
    assert (found.eligible_treated, found.lost_treated) == (50, 1)
    assert (found.eligible_comparison, found.lost_comparison) == (200, 20)
    # 1/50 = 2%; 20/200 = 10%; together 21 of 250 = 8.4%; 2 − 10 = −8 points
    assert found.share_treated == pytest.approx(0.02)
    assert found.share_comparison == pytest.approx(0.10)
    assert found.overall == pytest.approx(0.084)
    assert found.differential == pytest.approx(-0.08)
    assert found.worst == pytest.approx(0.10)


def test_an_arm_with_nobody_eligible_has_a_reason():
    flow = Flow((*rows("treated", 3, 0, 0), *rows("comparison", 0, 0, 5)))
    found = attrition_of(flow, "READPROG")
    assert isinstance(found.share_treated, Unavailable)
    assert isinstance(found.differential, Unavailable)
    assert isinstance(found.worst, Unavailable)
    assert found.overall == 0.0


def test_the_evaluation_counts_what_its_flow_counts(evaluation):
    for found in evaluation.attrition:
        analysed = evaluation.flow.count(found.outcome, "treated", "analysed")
        assert found.eligible_treated - found.lost_treated == analysed
