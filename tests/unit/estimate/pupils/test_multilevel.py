"""Two-level models: hand-computed cases, refusals, and what must not change the answer."""

import zlib

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

from evalkit.core.errors import DataError, DesignError
from evalkit.core.quantities import Interval, Unavailable
from evalkit.data.panel import CrossSections
from evalkit.data.roles import Roles
from evalkit.estimate.effect_sizes import SdName
from evalkit.estimate.pupils.multilevel import CONSTANT, two_level_model
from evalkit.estimate.pupils.sections import EFFECT, two_level_did
from evalkit.estimate.pupils.two_level import PupilColumns, TwoLevelOptions, two_level_effect_size

COLUMNS = PupilColumns(outcome="score", school="school", treated="treated", covariates=("prior",))


def pupils(seed=1, schools=20, treated=8, rows=12, effect=0.4):
    rng = np.random.default_rng(seed)
    size = rng.integers(5, 2 * rows, schools)
    code = np.repeat(np.arange(schools), size)
    frame = pd.DataFrame({"school": [f"S{c:03d}" for c in code], "treated": (code < treated).astype(int)})
    frame["prior"] = rng.normal(size=len(code))
    school = 0.5 * rng.normal(size=schools)[code]
    frame["score"] = 100 + effect * frame["treated"] + 0.6 * frame["prior"] + school + rng.normal(size=len(code))
    return frame


def sections(seed=1, schools=16, treated=6, periods=(2016, 2017, 2018, 2019), start=2018):
    rng = np.random.default_rng(seed)
    school, period = (a.ravel() for a in np.meshgrid(np.arange(schools), np.array(periods), indexing="ij"))
    size = rng.integers(4, 12, len(school))
    shock = 0.4 * rng.normal(size=len(school))
    rows = np.repeat(np.arange(len(school)), size)
    frame = pd.DataFrame({"school": school[rows], "year": period[rows], "prior": rng.normal(size=len(rows))})
    frame["start"] = np.where(frame["school"] < treated, float(start), np.nan)
    after = (frame["year"] >= start) & frame["start"].notna()
    frame["score"] = frame["school"] * 0.3 + 0.5 * after + frame["prior"] + shock[rows] + rng.normal(size=len(rows))
    return frame


def as_sections(frame, covariates=("prior",)):
    roles = Roles(unit="school", period="year", outcome="score", cohort="start", covariates=covariates)
    return CrossSections.from_frame(frame, roles)


def test_balanced_schools_by_hand():
    # Six schools of two pupils, three treated. School means: treated 5, 6, 7 (mean 6), comparison 2, 3, 4 (mean 3): the
    # effect is 3 whatever the variances. Pupils lie 1 above and below their mean: within SS 6 · 2 = 12 on 6 df, σ² = 2.
    # Between, per arm 2·(1 + 0 + 1) = 4, together 8 on 4 df: MS 2 = σ², so τ² = 0; the covariance of the effect is
    # then pooled: σ² = (12 + 8)/(12 − 2) = 2 and Var = 2·(1/6 + 1/6) = 2/3. df = 6 schools − 2.
    means = [5, 6, 7, 2, 3, 4]
    frame = pd.DataFrame(
        {
            "school": np.repeat(list("abcdef"), 2),
            "treated": np.repeat([1, 1, 1, 0, 0, 0], 2),
            "score": np.repeat(means, 2) + np.tile([-1.0, 1.0], 6),
        }
    )
    found = two_level_model(frame, PupilColumns(outcome="score", school="school", treated="treated"))
    assert found.effect.value == pytest.approx(3)
    assert found.effect.std_error == pytest.approx((2 / 3) ** 0.5, rel=1e-6)
    assert found.effect.df == 4
    assert found.conditional.within == pytest.approx(2, rel=1e-6)
    assert found.conditional.icc == pytest.approx(0, abs=1e-6)
    # t(4) at 97.5% is 2.7764: 3 ± 2.7764 · 0.8165
    assert found.effect_interval.lower == pytest.approx(3 - 2.776445 * (2 / 3) ** 0.5, abs=1e-5)


def test_degrees_of_freedom_count_schools_for_what_is_the_same_in_a_school():
    frame = pupils()
    frame["size"] = frame.groupby("school")["score"].transform("size")
    found = two_level_model(frame, PupilColumns(outcome="score", school="school", treated="treated",
                                                covariates=("prior", "size")))  # fmt: skip
    assert found.coefficient("treated").df == 20 - 3  # constant, treated, size
    assert found.coefficient("size").df == 17
    assert found.coefficient("prior").df == len(frame) - 20 - 1
    assert found.n_pupils == len(frame)
    assert (found.n_schools, found.n_treated_schools, found.n_comparison_schools) == (20, 8, 12)


def test_the_icc_lies_in_its_interval_and_parts_add_up():
    found = two_level_model(pupils(), COLUMNS)
    for parts in (found.conditional, found.unconditional):
        assert isinstance(parts.icc_interval, Interval)
        assert parts.icc in parts.icc_interval
        assert parts.icc == pytest.approx(parts.between / parts.total)
    assert "given prior" in found.estimand


@pytest.mark.parametrize("treated", [1, 19])
def test_one_school_in_an_arm_gives_no_error(treated):
    found = two_level_model(pupils(treated=treated), COLUMNS)
    assert isinstance(found.effect.std_error, Unavailable)
    assert "in one school only" in found.effect.std_error.reason
    assert isinstance(found.effect_interval, Unavailable)
    assert isinstance(found.effect.p_value, Unavailable)
    assert isinstance(found.coefficient("prior").std_error, float)  # pupils of every school tell of it


def test_too_few_schools_give_no_error():
    found = two_level_model(pupils(schools=5, treated=2), COLUMNS)
    assert found.effect.std_error == Unavailable(
        "5 schools leave 3 degrees of freedom between schools; at least 4 are needed for a standard error."
    )


def test_without_treatment_the_model_describes():
    found = two_level_model(pupils(), PupilColumns(outcome="score", school="school"))
    assert isinstance(found.effect, Unavailable)
    assert found.conditional == found.unconditional
    assert "no effect is estimated" in found.estimand


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda f: f.assign(score=f["score"].where(f.index > 0)), DataError, "outcome 'score' of a pupil of school"),
        (lambda f: f.assign(prior=np.inf), DataError, "column 'prior' of a pupil of school 'S000'"),
        (lambda f: f.assign(score=1.0), DataError, "does not vary within any school"),
        (lambda f: f.assign(treated=1), DesignError, "No school is untreated"),
        (lambda f: f.assign(treated=0), DesignError, "No school is treated"),
        (lambda f: f.assign(treated=2), DataError, "0 and 1 only"),
        (lambda f: f.assign(treated=np.arange(len(f)) % 2), DesignError, "has treated and untreated pupils"),
        (lambda f: f.assign(prior=f["treated"] * 2.0 + 1), DataError, "'prior' is an exact combination"),
        (lambda f: f.assign(prior=3.0), DataError, "'prior' does not vary"),
        (lambda f: f.drop(columns="prior"), DataError, "no column 'prior'"),
        (lambda f: f.assign(school=np.arange(len(f)), treated=f.index % 2), DataError, "does not vary within any"),
        (lambda f: f.assign(school=None), DataError, "has no 'school'"),
        (lambda f: f.iloc[:0], DataError, "has no rows"),
        (lambda f: f.assign(score=2 * f["prior"]), DataError, "'the outcome' is an exact combination"),
    ],
)
def test_what_cannot_be_fitted_is_refused_with_the_reason(change, error, said):
    with pytest.raises(error, match=said):
        two_level_model(change(pupils()), COLUMNS)


def test_two_schools_with_a_treated_one_cannot_tell_what_schools_vary_by():
    # two means, two coefficients of whole schools (constant and treatment): nothing is left between schools
    with pytest.raises(DataError, match="2 groups of pupils for 2 coefficients of whole groups"):
        two_level_model(pupils(schools=2, treated=1), COLUMNS)
    assert isinstance(two_level_model(pupils(schools=3, treated=1), COLUMNS).effect.std_error, Unavailable)
    frame = sections(schools=2, treated=1, periods=(2017, 2018))
    with pytest.raises(DataError, match="nothing is left to tell"):
        two_level_did(as_sections(frame), "period")


def test_statsmodels_is_refused_for_many_rows(monkeypatch):
    monkeypatch.setattr("evalkit.estimate.pupils.multilevel.MOST_ROWS_OF_MIXEDLM", 100)
    with pytest.raises(DesignError, match="up to 100 rows"):
        two_level_model(pupils(), COLUMNS, TwoLevelOptions(engine="statsmodels"))


def test_statsmodels_at_the_boundary_is_refused_without_a_warning():
    frame = pupils()
    frame["score"] = np.random.default_rng(1).normal(size=len(frame))
    frame["score"] -= frame.groupby("school")["score"].transform("mean")  # no variance between schools at all
    with pytest.raises(DesignError, match="did not reach a maximum"):
        two_level_model(frame, COLUMNS, TwoLevelOptions(engine="statsmodels"))
    found = two_level_model(frame, COLUMNS)
    assert found.conditional.icc == 0
    assert "estimated as zero" in found.notes[0]


@pytest.mark.parametrize("bad", [{"level": 1.0}, {"likelihood": "PQL"}, {"engine": "lme4"}])
def test_options_are_checked(bad):
    with pytest.raises(DesignError):
        TwoLevelOptions(**bad)


def numbers(model):
    return [model.effect.value, model.effect.std_error, model.conditional.between, model.conditional.within]


def test_rows_labels_and_scale_do_not_matter():
    frame = pupils()
    before = frame.copy()
    found = numbers(two_level_model(frame, COLUMNS))
    pd.testing.assert_frame_equal(frame, before)
    shuffled = frame.sample(frac=1, random_state=3).set_index(np.arange(len(frame))[::-1])
    assert numbers(two_level_model(shuffled, COLUMNS)) == pytest.approx(found, rel=1e-8)
    renamed = frame.assign(school=frame["school"].map(lambda s: f"Z{zlib.crc32(s.encode()) % 997}-{s[::-1]}"))
    assert numbers(two_level_model(renamed, COLUMNS)) == pytest.approx(found, rel=1e-8)
    scaled = numbers(two_level_model(frame.assign(score=10 * frame["score"] + 7), COLUMNS))
    assert scaled == pytest.approx([10 * found[0], 10 * found[1], 100 * found[2], 100 * found[3]], rel=1e-8)


def test_the_models_effect_in_its_own_spread():
    model = two_level_model(pupils(schools=30, treated=12), COLUMNS)
    found = two_level_effect_size(model)
    assert found.sd == pytest.approx(model.unconditional.total**0.5)
    assert found.uncorrected == pytest.approx(model.effect.value / found.sd)
    assert 28 < found.df < model.n_pupils  # between that of schools alone and that of independent pupils
    d, df = found.uncorrected, found.df
    expected = found.correction * np.sqrt((model.effect.std_error / found.sd) ** 2 + d**2 / (2 * df))
    assert found.std_error == pytest.approx(expected)
    within = two_level_effect_size(model, SdName.WITHIN_CONDITIONAL)
    assert within.sd == pytest.approx(model.conditional.within**0.5)
    assert within.df == model.n_pupils - 30
    with pytest.raises(DesignError, match="does not give"):
        two_level_effect_size(model, SdName.SCHOOL_LEVEL)


def test_an_effect_size_that_cannot_be_given_says_why():
    assert isinstance(two_level_effect_size(two_level_model(pupils(), PupilColumns(outcome="score", school="school"))),
                      Unavailable)  # fmt: skip
    change = two_level_did(as_sections(sections()))
    assert "no total spread is left" in two_level_effect_size(change).reason
    assert two_level_effect_size(change, SdName.WITHIN_UNCONDITIONAL).sd == change.unconditional.within**0.5


# pupils in schools in years


def test_two_years_of_equal_schools_by_hand():
    # Four schools, two years, two pupils ±1 about their mean. Changes of school means: treated 3, 5; comparison 0, 2:
    # effect 4 − 1 = 3. With equal cells the variance of the effect is that of changes, on J − 2 = 2 degrees of freedom:
    # s² = ((1 + 1) + (1 + 1))/2 = 2, Var = 2·(1/2 + 1/2) = 2. Two degrees of freedom are too few to say so.
    means = {("a", 1): 0, ("a", 2): 3, ("b", 1): 10, ("b", 2): 15, ("c", 1): 4, ("c", 2): 4, ("d", 1): 7, ("d", 2): 9}
    rows = [(s, y, m + e, 2.0 if s in "ab" else np.nan) for (s, y), m in means.items() for e in (-0.5, 0.5)]
    frame = pd.DataFrame(rows, columns=["school", "year", "score", "start"])
    found = two_level_did(as_sections(frame, ()))
    assert found.effect.value == pytest.approx(3)
    assert found.effect.df == 2
    assert "2 degrees of freedom" in found.effect.std_error.reason
    more = pd.concat([frame, frame.assign(school="other " + frame["school"])])
    again = two_level_did(as_sections(more, ()))
    # each school twice: s² = 8/6, Var = s²·(1/4 + 1/4), df 6
    assert again.effect.std_error == pytest.approx((8 / 6 / 2) ** 0.5, rel=1e-7)
    assert again.effect.df == 6


def whole_matrix(exog, outcome, cell, ratio):
    """The restricted likelihood with every dummy and the whole covariance matrix written out: −2ℓ, β, its errors."""
    v = np.eye(len(cell)) + ratio * (cell[:, None] == cell[None, :])
    inverse = np.linalg.inv(v)
    information = exog.T @ inverse @ exog
    beta = np.linalg.solve(information, exog.T @ inverse @ outcome)
    rest, rows = outcome - exog @ beta, len(cell) - exog.shape[1]
    scale = rest @ inverse @ rest / rows
    value = rows * np.log(scale) + np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1]
    return value, beta, np.sqrt(scale * np.diag(np.linalg.inv(information)))


def test_the_effect_is_what_dummies_give():
    frame = sections(schools=8, treated=4)
    found = two_level_did(as_sections(frame), "period")
    cell = (frame["school"] * 10_000 + frame["year"]).to_numpy()
    after = ((frame["year"] >= 2018) & frame["start"].notna()).astype(float)
    years = pd.get_dummies(frame["year"], dtype=float).iloc[:, 1:]
    exog = np.column_stack([after, frame["prior"], years, pd.get_dummies(frame["school"], dtype=float)])
    outcome = frame["score"].to_numpy()
    best = optimize.minimize_scalar(
        lambda log: whole_matrix(exog, outcome, cell, np.exp(log))[0], bounds=(-8, 3), method="bounded",
        options={"xatol": 1e-9},
    )  # fmt: skip
    _, beta, error = whole_matrix(exog, outcome, cell, np.exp(best.x))
    assert found.effect.value == pytest.approx(beta[0], rel=1e-6)
    assert found.effect.std_error == pytest.approx(error[0], rel=1e-6)
    assert found.coefficient("prior").value == pytest.approx(beta[1], rel=1e-6)
    assert found.conditional.between / found.conditional.within == pytest.approx(np.exp(best.x), rel=1e-5)


def test_a_shock_of_a_school_and_year_is_in_the_error():
    frame = sections(schools=30, treated=12)
    by_year = two_level_did(as_sections(frame), shock="period")
    by_span = two_level_did(as_sections(frame))
    assert by_year.grouping == "school and period"
    assert (by_year.n_groups, by_span.n_groups) == (120, 60)
    assert by_year.effect.df == by_span.effect.df == 28
    # pupils taken as independent given the school would have an error of about √(σ²·(1/n…)) alone
    independent = two_level_did(as_sections(frame.assign(score=_without_shocks(frame))))
    assert by_year.effect.std_error > 1.3 * independent.effect.std_error


def _without_shocks(frame):
    rng = np.random.default_rng(4)
    return frame["school"] * 0.3 + frame["prior"] + rng.normal(size=len(frame))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.assign(start=np.nan), "No school is treated"),
        (lambda f: f.assign(start=f["start"].where(f["school"] != 0, 2019.0)), "start in 2018 and 2019"),
        (lambda f: f.assign(start=f["start"].where(f["start"].isna(), 2016.0)), "periods before and after"),
        (lambda f: f[f["start"].notna()], "No comparison school"),
        (lambda f: f[~((f["year"] < 2018) & f["start"].notna())], "No treated school"),
        (lambda f: f.drop_duplicates(["school", "year"]), "no unit is a school of pupils"),
    ],
)
def test_a_design_that_cannot_show_a_change_is_refused(change, said):
    with pytest.raises(DesignError, match=said):
        two_level_did(as_sections(change(sections())))


def test_weights_are_refused():
    frame = sections().assign(w=2.0)
    roles = Roles(unit="school", period="year", outcome="score", cohort="start", weight="w")
    with pytest.raises(DesignError, match="Leave the weights out"):
        two_level_did(CrossSections.from_frame(frame, roles))


def test_a_covariate_fixed_within_schools_is_refused_by_name():
    frame = sections()
    with pytest.raises(DataError, match="'lasting' does not vary where"):
        two_level_did(as_sections(frame.assign(lasting=frame["school"] * 2.0), ("lasting",)))


def test_one_treated_school_over_years_gives_no_error():
    found = two_level_did(as_sections(sections(treated=1)))
    assert "in one school only" in found.effect.std_error.reason
    assert isinstance(found.coefficient("prior").std_error, float)
    assert isinstance(found.coefficient("period 2017").std_error, Unavailable)


def test_shifted_years_and_rows_do_not_matter():
    frame = sections()
    found = two_level_did(as_sections(frame))
    moved = frame.assign(year=frame["year"] + 5, start=frame["start"] + 5).sample(frac=1, random_state=2)
    again = two_level_did(as_sections(moved))
    assert numbers(again) == pytest.approx(numbers(found), rel=1e-8)
    assert found.coefficients[0].name == EFFECT
    with pytest.raises(DesignError, match="no coefficient"):
        found.coefficient(CONSTANT)
