"""Effects of cohorts that start in different periods: every estimator gives the same noun.

- `bands`: Standard errors, intervals and simultaneous bands of summaries: analytic, or by the multiplier bootstrap.
- `cells`: Effects on cohorts in periods, the noun of every estimator, and the panel's rows they are estimated from.
- `extended`: Extended two-way fixed effects: an effect for every cohort and period, covariates compared within
  cohorts.
- `group_time`: Group-time effects (Callaway and Sant'Anna, 2021): of panels and of repeated cross-sections.
- `group_time_arrays`: Effects from two periods, the same units or others: outcome regression, inverse probability,
  doubly robust.
- `imputation`: Imputation, and two stages: outcomes less what untreated observations predict, cell by cell or
  averaged.
- `imputation_arrays`: Effects as outcomes less what untreated observations predict, and what CR2 needs of such a
  regression.
- `imputation_leads`: Whether cohorts moved like the others before their start, told from untreated observations.
- `influence_arrays`: What each unit contributes to the errors of estimates, and the overall effect with clusters
  exchanged.
- `overall_inference`: The inference on the overall group-time effect that its numbers of clusters support.
- `pre_test`: Whether effects before the start are zero: tests that keep their level with many clusters and with few.
- `relabelled`: Randomisation over sets for staggered starts: every number again where other units have the starts of
  those listed.
- `relabelled_arrays`: Staggered effects of many relabellings of the same panel at once, from sums by cohort; without
  covariates.
- `results`: All results of one staggered estimator, each number with its uncertainty or the reason why there is none.
- `results_by_sets`: Results of a staggered estimator whose every number is judged by sets of units of other areas.
- `row_inference`: The inference that each number of a staggered design supports by itself: cells, cohorts, event
  times, periods.
- `summaries`: Weighted sums of group-time effects: overall, by cohort, by time since the start, by calendar period.
- `sun_abraham`: The interaction-weighted event study: every cohort has its own effect in every period, in one
  regression.
"""
