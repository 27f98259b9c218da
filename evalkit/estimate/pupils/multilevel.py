"""Two-level models of pupils in schools: the conditional effect, the intraclass correlation, their uncertainty."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.core.arrays import Floats, Ints
from evalkit.core.errors import DataError, DesignError
from evalkit.core.quantities import Estimate, Interval, Unavailable
from evalkit.core.words import counted, did_you_mean
from evalkit.data.roles import codes_of, finite
from evalkit.design.clusters import AT_ALL, NO_CLUSTER_HERE, independence
from evalkit.estimate.pupils.random_intercept_arrays import (
    GroupSums,
    RandomInterceptFit,
    fit,
    fit_at,
    group_sums,
    icc_limits,
)
from evalkit.estimate.pupils.two_level import Coefficient, PupilColumns, TwoLevelModel, TwoLevelOptions, VarianceParts

CONSTANT: Final = "(constant)"
MOST_ROWS_OF_MIXEDLM: Final = 50_000
FEWEST_DF: Final = 4
"""Between-school degrees of freedom below which no standard error of a school-level coefficient is given."""
_ROUNDING: Final = 1e-26
_SAME: Final = 1e-10
"""Share of a column's variance below which what is left of it counts as nothing."""


def two_level_model(
    pupils: pd.DataFrame, columns: PupilColumns, options: TwoLevelOptions | None = None
) -> TwoLevelModel:
    """Return the random-intercept model of pupils in schools, the outcome on treatment and covariates.

    Raises `DataError` for missing cells, a constant outcome, collinear covariates, or schools of one pupil each;
    `DesignError` where one arm is empty or treatment varies within a school.

    >>> import evalkit
    >>> import pandas as pd
    >>> rows = [(i // 10, i // 10 < 10, i * 37 % 23 / 5 + i // 10 % 4 + (i // 10 < 10)) for i in range(200)]
    >>> pupils = pd.DataFrame(rows, columns=["school", "helped", "score"])
    >>> columns = evalkit.PupilColumns(outcome="score", school="school", treated="helped")
    >>> model = evalkit.two_level_model(pupils, columns)
    >>> round(model.effect.value, 2), round(model.conditional.icc, 2)
    (0.56, 0.39)
    """
    chosen = options or TwoLevelOptions()
    rows = _pupil_sums(pupils, columns)
    require_fit(rows.sums, rows.names)
    return _model(rows, chosen)


@dataclass(frozen=True, slots=True, eq=False)
class PupilSums:
    """A table of pupils as sums by school."""

    sums: GroupSums
    empty: GroupSums
    names: tuple[str, ...]
    is_treated: NDArray[np.bool_] | None
    outcome: str
    outcomes: Floats
    design: Floats
    school: Ints


def _pupil_sums(pupils: pd.DataFrame, columns: PupilColumns) -> PupilSums:
    names = (*((columns.treated,) if columns.treated else ()), *columns.covariates)
    _require_columns(pupils, (columns.outcome, columns.school, *names))
    if pupils[columns.school].isna().any():
        raise DataError(f"A row has no '{columns.school}'. Fill it in or leave the row out, and try again.")
    school, schools = codes_of(pupils[columns.school], columns.school)

    def place(row: int) -> str:
        return f"a pupil of school {schools[school[row]]!r}"

    outcome = finite(pupils[columns.outcome], f"outcome '{columns.outcome}'", place)
    design = np.empty((len(outcome), len(names)), order="F")
    for at, name in enumerate(names):
        design[:, at] = finite(pupils[name], f"column '{name}'", place)
    treated = None if columns.treated is None else _arm(design[:, 0], school, columns.treated, schools)
    sums = group_sums(outcome, design, school)
    return PupilSums(sums, outcome_only(sums), names, treated, columns.outcome, outcome, design, school)


def _require_columns(pupils: pd.DataFrame, names: tuple[str, ...]) -> None:
    for name in names:
        if name not in pupils:
            raise DataError(f"The table has no column '{name}'.{did_you_mean(name, map(str, pupils.columns))}")
        if names.count(name) > 1:
            raise DataError(f"The column '{name}' plays two parts. Let it play one.")
    if pupils.empty:
        raise DataError("The table has no rows, so there is nothing to fit.")


def _arm(treated: Floats, school: Ints, name: str, schools: pd.Index) -> NDArray[np.bool_]:
    """Return whether each school is treated."""
    if not np.isin(treated, (0.0, 1.0)).all():
        raise DataError(f"The column '{name}' must hold 0 and 1 only: 1 for pupils of treated schools.")
    share = np.bincount(school, treated) / np.bincount(school)
    mixed = (share > 0) & (share < 1)
    if mixed.any():
        raise DesignError(
            f"School {schools[int(np.argmax(mixed))]!r} has treated and untreated pupils. This model compares whole "
            "schools; give each school one value, or model schools as blocks elsewhere."
        )
    is_treated: NDArray[np.bool_] = share == 1
    if is_treated.all() or not is_treated.any():
        which = "No school is untreated" if is_treated.all() else "No school is treated"
        raise DesignError(f"{which}, so there is nothing to compare. Add schools of the other arm.")
    return is_treated


def outcome_only(sums: GroupSums) -> GroupSums:
    """Return the sums of the empty model: the outcome and a constant (or absorbed constants)."""
    kept = [0, sums.mean.shape[1] - 1]
    return GroupSums(sums.size, sums.mean[:, kept], sums.within[np.ix_(kept, kept)], sums.centre[kept], sums.absorbed)


def require_fit(sums: GroupSums, names: tuple[str, ...]) -> None:
    """Raise `DataError` where the likelihood has no single largest value: nothing varies, or columns are collinear."""
    matrix = _total(sums)
    if matrix[-1, -1] <= 0 or sums.within[-1, -1] <= _SAME * matrix[-1, -1]:
        raise DataError(
            "The outcome does not vary within any school, so variance between and within schools cannot be told "
            "apart. Give one row for each pupil."
        )
    n_between = max(sums.n_blocks, 1) + int((np.diag(sums.within)[1:-1] <= _SAME * np.diag(matrix)[:-1]).sum())
    if len(sums.size) <= n_between or sums.n <= sums.n_fixed + 1:
        raise DataError(
            f"{counted(len(sums.size), 'group')} of pupils for {counted(n_between, 'coefficient')} of whole groups: "
            "nothing is left to tell how much they vary by themselves. Add schools, or leave covariates out."
        )
    scale = np.sqrt(np.diag(matrix))
    whole = np.diag(sums.within)[1:] + sums.size @ sums.mean[:, 1:] ** 2
    nothing = np.diag(matrix) <= _SAME * whole + _ROUNDING * sums.n * sums.centre[1:] ** 2
    for name, is_nothing in zip(names, nothing, strict=False):
        if is_nothing:
            raise DataError(f"'{name}' does not vary where the model could use it. Leave it out.")
    for at in range(1, len(scale)):
        block = matrix[:at, :at] / np.outer(scale[:at], scale[:at])
        cross = matrix[:at, at] / (scale[:at] * scale[at])
        if 1 - cross @ np.linalg.lstsq(block, cross, rcond=1e-12)[0] < _SAME:
            culprit = names[at] if at < len(names) else "the outcome"
            raise DataError(f"'{culprit}' is an exact combination of the columns before it. Leave one of them out.")


def _total(sums: GroupSums) -> Floats:
    """Return sums of squares and products of (x, y) about the constants."""
    mean = sums.mean[:, 1:]
    if sums.absorbed is not None:
        blocks = np.bincount(sums.absorbed, sums.size)
        centre = np.column_stack([np.bincount(sums.absorbed, sums.size * column) / blocks for column in mean.T])
        mean = mean - centre[sums.absorbed]
    matrix: Floats = sums.within[1:, 1:] + mean.T @ (sums.size[:, None] * mean)
    return matrix


def _model(rows: PupilSums, options: TwoLevelOptions) -> TwoLevelModel:
    is_restricted = options.likelihood == "REML"
    fitted = fit(rows.sums, is_restricted) if options.engine == "own" else _by_mixedlm(rows, is_restricted)
    n_schools = len(rows.sums.size)
    n_treated = 0 if rows.is_treated is None else int(rows.is_treated.sum())
    n_comparison = 0 if rows.is_treated is None else n_schools - n_treated
    coefficients = _coefficients(rows, fitted, n_treated, n_comparison)
    nothing = Unavailable("No column says who was treated, so the model describes and compares nobody.")
    return TwoLevelModel(
        effect=nothing if rows.is_treated is None else coefficients[1].estimate,
        estimand=_estimand(rows),
        coefficients=coefficients,
        conditional=variance_parts(rows.sums, fitted, options),
        unconditional=variance_parts(rows.empty, fit(rows.empty, is_restricted), options),
        grouping="school",
        n_pupils=rows.sums.n,
        n_groups=n_schools,
        n_schools=n_schools,
        n_treated_schools=n_treated,
        n_comparison_schools=n_comparison,
        log_likelihood=-fitted.deviance / 2,
        likelihood=options.likelihood,
        engine=options.engine,
        level=options.level,
        notes=(*notes_of(fitted, n_schools), *_independence(rows)),
    )


def variance_parts(sums: GroupSums, fitted: RandomInterceptFit, options: TwoLevelOptions) -> VarianceParts:
    """Return the variances of a fit with the profile interval of the share between groups."""
    lower, upper = icc_limits(sums, options.level, options.likelihood == "REML", fitted.ratio)
    return VarianceParts(
        between=fitted.between,
        within=fitted.within,
        icc=fitted.ratio / (1 + fitted.ratio),
        icc_interval=Interval(lower, upper, options.level),
    )


def notes_of(fitted: RandomInterceptFit, n_groups: int) -> tuple[str, ...]:
    """Return what a reader must know of a fit."""
    if fitted.ratio > 0:
        return ()
    return (
        f"The variance between groups was estimated as zero from {counted(n_groups, 'group')}: standard errors are "
        "those of independent pupils and may be too small.",
    )


def _independence(rows: PupilSums) -> tuple[str, ...]:
    return () if rows.is_treated is None else (independence("schools", AT_ALL, NO_CLUSTER_HERE),)


def _coefficients(
    rows: PupilSums, fitted: RandomInterceptFit, n_treated: int, n_comparison: int
) -> tuple[Coefficient, ...]:
    total, within = np.diag(_total(rows.sums)), np.diag(rows.sums.within)[1:]
    is_school = [True, *(within[:-1] <= _SAME * total[:-1]).tolist()]
    n_schools = len(rows.sums.size)
    df_school = n_schools - sum(is_school)
    df_pupil = rows.sums.n - n_schools - (len(is_school) - sum(is_school))
    reason = _no_error(rows, n_treated, n_comparison, df_school)
    made = []
    for at, name in enumerate((CONSTANT, *rows.names)):
        error: float | Unavailable = float(np.sqrt(fitted.covariance[at, at]))
        if is_school[at] and reason is not None:
            error = reason
        df = df_school if is_school[at] else df_pupil
        made.append(Coefficient(name=name, estimate=Estimate(float(fitted.beta[at]), error, float(df)),
                                df_rule=SCHOOL_DF if is_school[at] else PUPIL_DF))  # fmt: skip
    return tuple(made)


SCHOOL_DF: Final = "schools less school-level coefficients, the constant among them"
PUPIL_DF: Final = "pupils less schools less pupil-level coefficients"


def _no_error(rows: PupilSums, n_treated: int, n_comparison: int, df: int) -> Unavailable | None:
    if rows.is_treated is not None and min(n_treated, n_comparison) < 2:
        arm = "treatment stands" if n_treated < 2 else "comparison stands"
        return Unavailable(
            f"The {arm} in one school only: what happened in that school cannot be told from the programme."
        )
    return too_few(len(rows.sums.size), df)


def too_few(n_schools: int, df: int) -> Unavailable | None:
    """Return why there is no standard error of a school-level coefficient, or None."""
    if df >= FEWEST_DF:
        return None
    return Unavailable(
        f"{counted(n_schools, 'school')} leave {max(df, 0)} degrees of freedom between schools; at least {FEWEST_DF} "
        "are needed for a standard error."
    )


def _estimand(rows: PupilSums) -> str:
    given = f", given {', '.join(rows.names[1:])}" if len(rows.names) > 1 else ""
    if rows.is_treated is None:
        return f"The spread of {rows.outcome} between and within schools; no effect is estimated."
    return (
        f"Difference in {rows.outcome} between pupils of treated and of comparison schools{given}: the effect of the "
        "programme if, given these, schools of the two arms would not have differed without it. Schools count "
        "by how much their pupils tell about the effect, between one vote a school and one vote a pupil."
    )


def _by_mixedlm(rows: PupilSums, is_restricted: bool) -> RandomInterceptFit:
    """Return the fit at the ratio of variances that statsmodels' MixedLM finds.

    Its standard errors come from the observed Hessian; the generalised least-squares ones are given here, as lme4 does.
    """
    if rows.sums.n > MOST_ROWS_OF_MIXEDLM:
        raise DesignError(
            f"statsmodels is used up to {MOST_ROWS_OF_MIXEDLM:,} rows, and there are {rows.sums.n:,}. Use the engine "
            "'own', which agrees with it."
        )
    from statsmodels.regression.mixed_linear_model import MixedLM

    design = np.column_stack([np.ones(rows.sums.n), rows.design])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it warns of is asked of the result below
        fitted: Any = MixedLM(rows.outcomes, design, rows.school).fit(reml=is_restricted, method="bfgs", gtol=1e-7)
    ratio = float(fitted.cov_re[0, 0] / fitted.scale)
    if not fitted.converged or ratio < 1e-6:
        raise DesignError(
            "statsmodels' MixedLM did not reach a maximum inside the allowed variances. Use the engine 'own', which "
            "also handles a variance of zero."
        )
    return fit_at(rows.sums, ratio, is_restricted)
