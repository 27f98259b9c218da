"""The fast group-time estimator against an obvious slow one.

The oracle writes every method as estimating equations Σ ψ_i(θ) = 0 (Sant'Anna and Zhao, 2020; Callaway and Sant'Anna,
2021), solves them by Newton's method and takes −A⁻¹ψ_i as what row i contributes, A = Σ ∂ψ_i/∂θ by complex steps,
which are exact to rounding. Summaries are computed from their definitions and differentiated by central differences.
It shares no formula with the kit: the kit's influence functions are written out, these are numerical.
"""

import numpy as np
import pandas as pd
import pytest

from evalkit.data.panel import CrossSections, Panel
from evalkit.data.roles import Roles
from evalkit.design.panel.staggered import StaggeredOptions, staggered_design
from evalkit.estimate.staggered.group_time import group_time_effects
from evalkit.estimate.staggered.summaries import effects_by_cohort, effects_by_period, event_study, overall_effect

COVARIATES = ("x", "z")


def solved(equations, n_parameters):
    """Return θ with Σψ(θ) = 0 and −A⁻¹ψ_i, shape (n, p); `equations` maps θ to ψ, shape (n, p)."""
    theta, step = np.zeros(n_parameters), 1e-30
    for _ in range(60):
        turned = [equations(theta + 1j * step * one).sum(0).imag / step for one in np.eye(n_parameters)]
        slope = np.array(turned).T
        move = np.linalg.solve(slope, equations(theta + 0j).real.sum(0))
        theta = theta - move
        if np.abs(move).max() < 1e-12 * (1 + np.abs(theta).max()):
            break
    return theta, -np.linalg.solve(slope, equations(theta + 0j).real.T).T


def panel_equations(method, rows):
    """Return estimating equations of one comparison of changes, their number, and the effect as weights on θ."""
    x = np.column_stack([np.ones(len(rows)), rows[list(COVARIATES)]])
    d, dy, w, k = rows["treated"].to_numpy(), rows["change"].to_numpy(), rows["weight"].to_numpy(), x.shape[1]

    def equations(theta):
        beta, gamma, own, other = theta[:k], theta[k : 2 * k], theta[2 * k], theta[2 * k + 1]
        fitted, p = x @ beta, 1 / (1 + np.exp(-(x @ gamma)))
        of_beta = (w * (1 - d) * (dy - fitted))[:, None] * x
        of_gamma = (w * (d - p))[:, None] * x
        if method == "reg":
            parts = w * d * (dy - own), w * d * (fitted - other)
        elif method == "ipw":
            parts = w * d * (dy - own), w * (1 - d) * p / (1 - p) * (dy - other)
        else:
            parts = w * d * (dy - fitted - own), w * (1 - d) * p / (1 - p) * (dy - fitted - other)
        return np.column_stack([of_beta, of_gamma, *parts])

    return equations, 2 * k + 2, np.array([0.0] * 2 * k + [1.0, -1.0])


def section_equations(method, rows):
    """Return the same for rows of two periods."""
    x = np.column_stack([np.ones(len(rows)), rows[list(COVARIATES)]])
    d, y, w, k = rows["treated"].to_numpy(), rows["outcome"].to_numpy(), rows["weight"].to_numpy(), x.shape[1]
    after = rows["after"].to_numpy()
    arms = [d * after, d * (1 - after), (1 - d) * after, (1 - d) * (1 - after)]

    def equations(theta):
        betas, gamma, means = theta[: 4 * k].reshape(4, k), theta[4 * k : 5 * k], theta[5 * k :]
        fitted, p = [x @ beta for beta in betas], 1 / (1 + np.exp(-(x @ gamma)))
        parts = [(w * arm * (y - fit))[:, None] * x for arm, fit in zip(arms, fitted, strict=True)]
        parts.append((w * (d - p))[:, None] * x)
        odds = p / (1 - p)
        drift, lead = fitted[2] - fitted[3], fitted[0] - fitted[1]
        scale = [1.0, 1.0, odds, odds]
        if method == "reg":
            residual, scale, average = [y, y, y * 0, y * 0], [1.0, 1.0, 1.0, 1.0], -drift
        elif method == "ipw":
            residual, average = [y, y, y, y], drift * 0
        else:
            residual, average = [y - fit for fit in fitted], lead - drift
        of_means = [w * a * s * (r - m) for a, s, r, m in zip(arms, scale, residual, means[:4], strict=True)]
        return np.column_stack([*parts, *of_means, w * d * (average - means[4])])

    return equations, 5 * k + 5, np.array([0.0] * 5 * k + [1.0, -1.0, -1.0, 1.0, 1.0])


def compared_cohorts(frame, cohort, latest, options):
    """Return which rows may be compared: never treated, or (asked for) untreated through `latest`."""
    later = (frame["cohort"] != cohort) & (frame["cohort"] > latest + options.anticipation)
    return frame["cohort"].isna() | (later & (options.comparison == "not-yet"))


def oracle_cells(frame, method, options, as_panel):
    """Return for each (cohort, period) the effect and what each row of `id` contributes."""
    periods, found = sorted(frame["period"].unique()), {}
    for cohort in sorted(frame["cohort"].dropna().unique()):
        own = max(p for p in periods if p < cohort - options.anticipation)
        for at, period in enumerate(periods):
            universal = period >= cohort or options.base_period == "universal"
            if not universal and at == 0:
                continue
            base = own if universal else periods[at - 1]
            if base == period:
                continue
            used = frame[(frame["cohort"] == cohort) | compared_cohorts(frame, cohort, max(period, base), options)]
            used = used.assign(treated=(used["cohort"] == cohort) * 1.0)
            found[int(cohort), period] = oracle_cell(used, method, (base, period), as_panel)
    return found


def oracle_cell(used, method, both, as_panel):
    base, period = both
    if as_panel:
        first, then = used[used["period"] == base].set_index("id"), used[used["period"] == period].set_index("id")
        rows = first.assign(change=then["outcome"] - first["outcome"]).dropna(subset=["change"])
        equations, n, weights = panel_equations(method, rows)
    else:
        rows = used[used["period"].isin(both)].assign(after=lambda f: (f["period"] == period) * 1.0).set_index("id")
        equations, n, weights = section_equations(method, rows)
    theta, influence = solved(equations, n)
    return theta @ weights, pd.Series(influence @ weights, index=rows.index)


def oracle_summaries(shares, values):
    """Return every summary from its definition; `shares` by cohort, `values` by (cohort, period)."""
    after = {(g, t): v for (g, t), v in values.items() if t >= g}

    def average(chosen):
        return sum(shares[g] * v for (g, t), v in chosen.items()) / sum(shares[g] for g, _ in chosen)

    time = {e: average({c: v for c, v in values.items() if c[1] - c[0] == e}) for e in {t - g for g, t in values}}
    cohort = {g: np.mean([v for c, v in after.items() if c[0] == g]) for g in shares if any(c[0] == g for c in after)}
    period = {p: average({c: v for c, v in after.items() if c[1] == p}) for p in {t for _, t in after}}
    found = {("simple", None): average(after), ("calendar", None): np.mean(list(period.values()))}
    found["cohort", None] = sum(shares[g] * v for g, v in cohort.items()) / sum(shares[g] for g in cohort)
    found["time", None] = np.mean([v for e, v in time.items() if e >= 0])
    for name, parts in (("cohort", cohort), ("time", time), ("calendar", period)):
        found |= {(name, label): value for label, value in parts.items()}
    return found


def oracle(frame, method, options, as_panel, weights):
    """Return values and errors of cells and summaries; `weights` is each unit's, by `id`, with its cohort."""
    cells = oracle_cells(frame, method, options, as_panel)
    cluster = frame.drop_duplicates("id").set_index("id")["cluster"]
    cohorts = sorted({g for g, _ in cells})
    total = weights["weight"].sum()
    shares = {g: weights.loc[weights["cohort"] == g, "weight"].sum() / total for g in cohorts}
    of_shares = {g: weights["weight"] * ((weights["cohort"] == g) - shares[g]) / total for g in cohorts}
    columns = {c: s.groupby(cluster.reindex(s.index)).sum() for c, (_, s) in cells.items()}
    columns |= {("share", g): s.groupby(weights["cluster"]).sum() for g, s in of_shares.items()}
    influence = pd.DataFrame(columns).fillna(0.0)
    values = np.array([v for v, _ in cells.values()] + [shares[g] for g in cohorts])
    covariance = influence.to_numpy().T @ influence.to_numpy()

    def summaries(vector):
        both = dict(zip(cohorts, vector[len(cells) :], strict=True)), dict(zip(cells, vector, strict=False))
        return oracle_summaries(*both)

    found = summaries(values)
    steps = 1e-5 * np.eye(len(values))
    slopes = [(summaries(values + s), summaries(values - s)) for s in steps]
    errors = {}
    for name in found:
        slope = np.array([(up[name] - down[name]) / 2e-5 for up, down in slopes])
        errors[name] = np.sqrt(slope @ covariance @ slope)
    single = dict(zip(cells, np.sqrt(np.diag(covariance)), strict=False))
    return {c: (v, single[c]) for c, (v, _) in cells.items()}, {name: (found[name], errors[name]) for name in found}


def kit(effects):
    """Return the kit's cells and summaries in the oracle's form."""
    errors = np.sqrt(np.diagonal(effects.covariance))
    cells = {(c.cohort, c.period): (c.value, errors[i]) for i, c in enumerate(effects.cells) if not c.is_reference}
    found = {("simple", None): overall_effect(effects)}
    for name, verb in (("cohort", effects_by_cohort), ("time", event_study), ("calendar", effects_by_period)):
        summaries = verb(effects)
        found[name, None] = summaries.overall
        found |= {(name, part.label): part for part in summaries.parts}
    return cells, {
        name: (one.estimate.value, one.estimate.std_error)
        for name, one in found.items()
        if isinstance(one.estimate.std_error, float)
    }


def random_table(seed, is_sections, lost=0.0):
    """Return random rows: covariates (one of them moving), weights that move, clusters of several units."""
    random = np.random.default_rng(seed)
    n, periods = 160, np.arange(2011, 2016)
    cohort = random.choice([2013.0, 2014.0, 2015.0, np.nan], n, p=[0.25, 0.2, 0.2, 0.35])
    rows = pd.DataFrame({"unit": np.arange(n), "cohort": cohort, "area": random.integers(0, 35, n)})
    rows = rows.loc[np.repeat(np.arange(n), len(periods))].assign(period=np.tile(periods, n)).reset_index(drop=True)
    rows["x"] = random.normal(size=n)[rows["unit"]] + 0.3 * rows["cohort"].notna()
    rows["z"] = 100 + 20 * random.random(n)[rows["unit"]] + 5 * random.normal(size=len(rows))
    rows["w"] = random.uniform(0.5, 2, n)[rows["unit"]] * random.uniform(0.9, 1.1, len(rows))
    rows["y"] = rows["x"] * (rows["period"] - 2010) + 0.02 * rows["z"] + random.normal(size=len(rows))
    if is_sections:
        rows["unit"] = random.permutation(len(rows))
    return rows[random.random(len(rows)) >= lost].reset_index(drop=True)


ROLES = Roles(
    unit="unit", period="period", outcome="y", cohort="cohort", cluster="area", weight="w", covariates=COVARIATES
)
DESIGNS = {
    "never": StaggeredOptions(),
    "not-yet, universal": StaggeredOptions(comparison="not-yet", base_period="universal"),
    "not-yet, anticipated": StaggeredOptions(comparison="not-yet", anticipation=1),
}


def agree(found, expected):
    for one, other in zip(found, expected, strict=True):
        missing = {name for name in other if name not in one and name != ("time", None)}
        # a universal base adds event times that hold nothing but zeros by definition
        assert missing == set()
        for name, (value, error) in other.items():
            if name in one:
                assert one[name][0] == pytest.approx(value, rel=1e-8, abs=1e-9), name
                assert one[name][1] == pytest.approx(error, rel=1e-7), name


def without_references(effects):
    """Return cells and summaries of which no part is a base period, where the kit counts a zero and the oracle none."""
    cells, summaries = kit(effects)
    zeros = {cell.event_time for cell in effects.cells if cell.is_reference}
    return cells, {name: value for name, value in summaries.items() if not (name[0] == "time" and name[1] in zeros)}


def on_both_sides(frame, anticipation):
    """Leave out the treated who are not seen both before and since their start: no effect rests on them."""
    seen = {
        unit: ((rows["period"] < start - anticipation).any() and (rows["period"] >= start).any())
        for unit, rows in frame.groupby("id")
        if not np.isnan(start := rows["cohort"].iloc[0])
    }
    return frame[frame["id"].map(seen).fillna(True).astype(bool)]


@pytest.mark.parametrize("method", ["dr", "ipw", "reg"])
@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("data", ["panel", "pairs", "complete", "levels", "sections"])
def test_the_fast_estimator_agrees_with_estimating_equations(data, design, method):
    options, table = DESIGNS[design], random_table(3, data == "sections", 0 if data == "panel" else 0.04)
    unbalanced = data if data in ("pairs", "complete", "levels") else "pairs"
    options = StaggeredOptions(
        comparison=options.comparison,
        base_period=options.base_period,
        anticipation=options.anticipation,
        unbalanced=unbalanced,
    )
    source = CrossSections if data == "sections" else Panel
    effects = group_time_effects(staggered_design(source.from_frame(table, ROLES), options), method)
    if data == "complete":
        table = table[table.groupby("unit")["period"].transform("size") == 5]
    as_panel = data not in ("levels", "sections")
    frame = table.rename(columns={"y": "outcome", "w": "weight", "area": "cluster"})
    frame["id"] = frame["unit"] if as_panel else np.arange(len(frame))
    frame["cohort"] = frame["cohort"].where(frame["cohort"] <= 2015 + options.anticipation)
    if data == "pairs":
        n_rows, frame = len(frame), on_both_sides(frame, options.anticipation)
        assert len(frame) < n_rows
    weights = frame.groupby("unit")[["weight", "cohort", "cluster"]].first()
    if data == "levels":
        weights["weight"] = frame.groupby("unit")["weight"].mean()
    expected_cells, expected = oracle(frame, method, options, as_panel, weights)
    if options.base_period == "universal":
        expected = {name: v for name, v in expected.items() if name not in [("time", -1), ("time", -2)]}
    agree(without_references(effects), (expected_cells, expected))


@pytest.mark.parametrize("method", ["dr", "ipw", "reg"])
def test_units_are_their_own_clusters_where_none_is_named(method):
    roles = Roles(unit="unit", period="period", outcome="y", cohort="cohort", covariates=COVARIATES)
    table = random_table(8, False)
    effects = group_time_effects(staggered_design(Panel.from_frame(table, roles)), method)
    frame = table.rename(columns={"y": "outcome"}).assign(weight=1.0, cluster=table["unit"], id=table["unit"])
    weights = frame.drop_duplicates("unit").set_index("unit")[["weight", "cohort", "cluster"]]
    agree(without_references(effects), oracle(frame, method, StaggeredOptions(), True, weights))
