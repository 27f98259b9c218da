"""Effects of a project's design, for every area as if it were treated, and their pooling over projects.

- `area_effects`: The effect of every area, as if each in turn had been treated.
- `changes_arrays`: Numerical kernels of the estimate room: arrays in, arrays out.
- `clusters`: The uncertainty of an effect on schools listed by name, where they lie in several areas.
- `effect_records`: From area effects, and from sets, to effects that can be reported: estimand, sample, method,
  uncertainty.
- `gap_series`: The comparative interrupted time series of areas: effect by year, and the treated areas' place among
  all others.
- `gap_series_arrays`: Kernels of the comparative interrupted time series: gaps of areas, and lines with a change of
  level and slope.
- `outcome_effects`: Every effect of one outcome, or why there is none: the main one, those beside it, the years and
  their band.
- `placebo_pool`: The effects of several projects taken together, judged by areas without a programme that are like
  theirs.
- `pooling_arrays`: Kernels of pooling: random effects, and many means at once of areas that stand in for those of
  projects.
- `random_effects`: Random-effects pooling of the effects of several projects.
- `sample`: The analysed schools of one outcome, and their changes over time.
- `set_draws`: Who was listed, who could have been, and sets of units drawn in the place of those listed.
- `set_effects`: The effect on listed schools, or on several whole areas, each against its own neighbours, placed
  among sets.
- `set_matches`: Sets of listed schools matched anew: nearest neighbours of every set, as if it had been the treated
  one.
- `sets`: What sets of units drawn in other areas say of an effect on listed units: p-value, interval, band, Monte
  Carlo error.
- `sets_arrays`: Kernels of randomisation over sets: sets of units drawn in areas, shares of them as extreme, reach of
  an interval.
- `together`: Several statistics placed among the same areas, or the same sets: their differences, and p-values
  adjusted together.
- `varied`: The main comparison of an outcome under many choices, without deciding or measuring anything twice.
"""
