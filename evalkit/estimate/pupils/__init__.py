"""Models of pupils in schools.

- `multilevel`: Two-level models of pupils in schools: the conditional effect, the intraclass correlation, their
  uncertainty.
- `random_intercept_arrays`: Random-intercept models from group sums: restricted and full maximum likelihood, exact at
  any number of rows.
- `school_values_arrays`: What a two-level model's effect is a difference of: one number a school, and the weight that
  the model gives it.
- `sections`: Difference-in-differences of pupils in schools in years, other pupils each year, as a two-level model.
- `two_level`: What a two-level model of pupils in schools gives: coefficients, variances, the ICC, effect sizes.
"""
