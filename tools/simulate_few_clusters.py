"""Size and coverage of every printed interval and test where few clusters are treated, as tables in Markdown.

    python tools/simulate_few_clusters.py [DRAWS]

prints what `docs/methods/few-clusters.md` holds under "Every number by itself". No effect is in the data, so that an
interval without zero, and a p-value of 0.05 or less, is a false alarm.
"""

from __future__ import annotations

import sys
from collections import defaultdict

import numpy as np
import pandas as pd

from evalkit.core.quantities import Interval
from evalkit.data.panel import Panel
from evalkit.data.roles import Roles
from evalkit.design.panel.staggered import StaggeredOptions, staggered_design
from evalkit.estimate.effect import Inference
from evalkit.estimate.staggered.group_time import group_time_effects
from evalkit.estimate.staggered.overall_inference import overall_inference, recommendation
from evalkit.estimate.staggered.pre_test import PreTest
from evalkit.estimate.staggered.results import StaggeredResults, staggered_results
from evalkit.estimate.two_way.recommended import InferenceOptions

ROLES = Roles(unit="area", period="year", outcome="y", cohort="cohort", weight="w")
YEARS = np.arange(2012, 2018)
STARTS = (2015, 2016)
ERROR_MODELS = ("alike", "by weight", "1/weight", "big cluster twice as noisy")


def panel_of(y: np.ndarray, start: np.ndarray, weight: np.ndarray) -> Panel:
    """Return areas (n, n_years) as a panel."""
    n, n_years = y.shape
    frame = pd.DataFrame(
        {
            "area": np.repeat(np.arange(n), n_years),
            "year": np.tile(YEARS[:n_years], n),
            "y": y.ravel(),
            "cohort": np.repeat(start, n_years),
            "w": np.repeat(weight, n_years),
        }
    )
    return Panel.from_frame(frame, ROLES)


def shocks(random: np.random.Generator, spread: np.ndarray, n_years: int) -> np.ndarray:
    """Return autoregressive errors (.5) of areas with these standard deviations, shape (n, n_years)."""
    found = random.normal(size=(len(spread), n_years))
    for t in range(1, n_years):
        found[:, t] = 0.5 * found[:, t - 1] + np.sqrt(0.75) * found[:, t]
    return found * spread[:, None]


def staggered_draw(random: np.random.Generator, n_treated: int, is_by_size: bool) -> StaggeredResults:
    """Return the results of 60 areas, some treated in two years drawn at random, without an effect."""
    size = random.integers(5, 101, 60)
    spread = np.sqrt(0.1 + 9 / size) if is_by_size else np.ones(60)
    start = np.full(60, np.nan)
    start[random.permutation(60)[:n_treated]] = np.resize(STARTS, n_treated)
    panel = panel_of(shocks(random, spread, len(YEARS)), start, np.ones(60))
    design = staggered_design(panel, StaggeredOptions(base_period="universal"))
    return staggered_results(group_time_effects(design))


def tally(found: StaggeredResults, seen: dict[str, list[tuple[bool, float]]], withheld: dict[str, int]) -> None:
    """Note for every interval and test whether it was a false alarm, and how long the interval was."""
    kinds = {
        "overall": [found.simple],
        "event time": [part for part in found.event_study.parts if part.label != -1],
        "cohort": found.by_cohort.parts,
        "period": found.calendar.parts,
        "cell": [cell for cell in found.group_time if cell.period != cell.cohort - 1],
    }
    for kind, numbers in kinds.items():
        for one in numbers:
            if isinstance(one.interval, Interval):
                seen[kind].append((0.0 not in one.interval, (one.interval.upper - one.interval.lower) / 2))
            else:
                withheld[kind] += 1
    bands = [part.band for part in found.event_study.parts if isinstance(part.band, Interval)]
    if bands:
        seen["band"].append((any(0.0 not in band for band in bands), np.nan))
    else:
        withheld["band"] += 1
    if isinstance(found.pre_test, PreTest):
        seen["test before the start"].append((found.pre_test.p_value <= 0.05, np.nan))
    else:
        withheld["test before the start"] += 1


def print_rows(n_draws: int) -> None:
    """Print the rate of false alarms of each kind of number by treated areas and error model."""
    print(
        "| treated | errors | number | false alarms, % | median half-length | withheld, % |\n|---|---|---|---|---|---|"
    )
    for n_treated in (8, 5, 3):
        for is_by_size in (False, True):
            random = np.random.default_rng([n_treated, is_by_size])
            seen: dict[str, list[tuple[bool, float]]] = defaultdict(list)
            withheld: dict[str, int] = defaultdict(int)
            for _ in range(n_draws):
                tally(staggered_draw(random, n_treated, is_by_size), seen, withheld)
            for kind in dict.fromkeys([*seen, *withheld]):
                rows = np.array(seen[kind]).reshape(-1, 2)
                share = withheld[kind] / (withheld[kind] + len(rows))
                alarms = f"{100 * rows[:, 0].mean():.1f}" if len(rows) else "none"
                half = f"{np.median(rows[:, 1]):.2f}" if len(rows) and np.isfinite(rows[:, 1]).any() else "–"
                print(
                    f"| {n_treated} | {'by size' if is_by_size else 'alike'} | {kind} | {alarms} | {half} | "
                    f"{100 * share:.0f} |",
                    flush=True,
                )


def treated_weights(random: np.random.Generator, n: int, shares: tuple[float, ...], sigma: float) -> np.ndarray:
    """Return weights of treated clusters: some with given shares among equal others, or log-normal."""
    if sigma:
        return random.lognormal(0, sigma, n)
    left = (1 - sum(shares)) / (n - len(shares))
    return np.r_[shares, np.full(n - len(shares), left)] * n


def weighted_draw(random: np.random.Generator, weight: np.ndarray, model: str, n_comparison: int = 60) -> Inference:
    """Return the overall inference on treated clusters of these weights and equal others, two years, no effect."""
    every = np.r_[weight, np.ones(n_comparison)]
    scale = {
        "alike": np.ones(len(every)),
        "by weight": np.sqrt(every),
        "1/weight": 1 / np.sqrt(every),
        "big cluster twice as noisy": np.where(every == every.max(), 2.0, 1.0),
    }[model]
    y = np.column_stack([np.zeros(len(every)), random.normal(size=len(every)) * scale])
    start = np.r_[np.full(len(weight), YEARS[1]), np.full(n_comparison, np.nan)]
    effects = group_time_effects(staggered_design(panel_of(y, start, every)))
    return overall_inference(effects, recommendation(effects), InferenceOptions())


def print_concentration(n_draws: int) -> None:
    """Print coverage with concentrated weights, the worst of four error models."""
    print("\n| treated | weights | given, % | coverage where given, worst model, % |\n|---|---|---|---|")
    cases = [
        *((n, f"one cluster {share}", (share,), 0.0) for n in (8, 20) for share in (0.3, 0.5, 0.8)),
        (20, "three at 0.3", (0.3, 0.3, 0.3), 0.0),
        (20, "two at 0.45", (0.45, 0.45), 0.0),
        *((n, f"log-normal {sigma}", (), sigma) for n in (8, 20) for sigma in (0.5, 1.0, 2.0)),
    ]
    for n, name, shares, sigma in cases:
        given, worst = [], 1.0
        for model in ERROR_MODELS:
            random = np.random.default_rng([n, round(100 * sum(shares)), round(10 * sigma), ERROR_MODELS.index(model)])
            held = []
            for _ in range(n_draws):
                found = weighted_draw(random, treated_weights(random, n, shares, sigma), model)
                given.append(isinstance(found.interval, Interval))
                if isinstance(found.interval, Interval):
                    held.append(0.0 in found.interval)
            worst = min(worst, np.mean(held)) if held else worst
        coverage = f"{100 * worst:.1f}" if any(given) else "withheld"
        print(f"| {n} | {name} | {100 * np.mean(given):.0f} | {coverage} |", flush=True)


if __name__ == "__main__":
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    print_rows(draws)
    print_concentration(draws)
