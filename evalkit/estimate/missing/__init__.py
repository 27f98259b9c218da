"""Missing outcomes: bounds that trim, imputation by predictive mean matching, pooling, tipping point.

- `area_bounds`: Lee's bounds of listed schools and of sets in their place, or of a whole area and of all others: with
  an interval.
- `lee_arrays`: Lee's bounds on a difference in means where outcomes are missing more often in one arm: weighted
  samples in rows.
- `matched_bounds`: Lee's bounds after matching: of the treated as they are matched, and of sets in their place, each
  matched anew.
- `pooled_arrays`: Estimates of several completed data sets as one, and the shift of imputed values at which nothing
  is found.
- `predictive_arrays`: Missing cells of a table of units by years filled in by predictive mean matching, year after
  year in rounds.
- `staggered_bounds`: Lee's bounds of staggered starts: cohort by cohort and year by year, averaged as the estimator
  averages its cells.
"""
