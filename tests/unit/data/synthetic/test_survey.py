"""The made-up audit tool: what is planted is found by plain pandas, and nothing in it is of a real person."""

import numpy as np
import pandas as pd
import pytest

from evalkit.data.synthetic.survey import AUDIT, REVERSED, SurveyTruth, columns_of, write_audit
from evalkit.estimate.survey.reliability_arrays import one_way_icc

URNS = np.arange(700_001, 700_121)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("audit")
    write_audit(made, URNS, (2023, 2025), seed=5)
    return made


@pytest.fixture(scope="module")
def answers(folder):
    frame = pd.read_csv(folder / "audit_answers.csv")
    for area, item in REVERSED:
        frame[columns_of(area)[item]] = 6 - frame[columns_of(area)[item]]
    return frame


def scores(frame, area):
    return frame[list(columns_of(area))].mean(axis=1)


def test_the_change_between_the_waves_is_the_one_planted(answers):
    changes = []
    for area in AUDIT:
        means = answers.assign(score=scores(answers, area)).groupby(["urn", "wave"])["score"].mean().unstack()
        changes.append((means[2025] - means[2023]).mean())
    # 120 schools, √(.15² + 2·.85²/20)/√120 = .028 an area; areas share people, so that their mean errs by about .02
    assert np.mean(changes) == pytest.approx(0.3, abs=0.06)


def test_schools_share_as_much_as_the_card_says(answers):
    first = answers[answers["wave"] == 2023].assign(score=lambda frame: scores(frame, "assessment")).dropna()
    found = one_way_icc(first["score"].to_numpy(), pd.factorize(first["urn"])[0])
    # rounding to whole points adds 1/12 to the variance of an item, and shrinks the share a little
    assert found.icc == pytest.approx(SurveyTruth().icc, abs=0.05)
    assert SurveyTruth().icc == pytest.approx(0.1225 / (0.1225 + 0.49 + 0.5625 / 4))


def test_some_did_not_answer_and_have_been_in_post_for_less_long(answers):
    items = [column for area in AUDIT for column in columns_of(area)]
    responded = answers[items].notna().any(axis=1)
    rates = responded.groupby(answers["wave"]).mean()
    assert (rates[2023], rates[2025]) == pytest.approx((0.78, 0.66), abs=0.02)
    by = answers.groupby(responded)["years_in_post"].mean()
    assert by[True] - by[False] == pytest.approx(2.0, abs=0.4)


def test_every_cell_is_a_point_or_empty_and_every_id_is_made_up(answers, folder):
    items = [column for area in AUDIT for column in columns_of(area)]
    assert set(np.unique(answers[items].to_numpy().ravel())[:5]) == {1, 2, 3, 4, 5}
    assert answers["respondent"].str.startswith("SYN").all()
    assert not answers["respondent"].duplicated().any()
    assert pd.read_csv(folder / "audit_items.csv")["column"].tolist() == items


def test_another_size_moves_the_second_wave_alone(folder, tmp_path):
    write_audit(tmp_path, URNS, (2023, 2025), seed=5, truth=SurveyTruth(change=0.0))
    one, two = (pd.read_csv(where / "audit_answers.csv") for where in (folder, tmp_path))
    first = one["wave"] == 2023
    pd.testing.assert_frame_equal(one[first], two[first])
    assert not one[~first].equals(two[~first])
