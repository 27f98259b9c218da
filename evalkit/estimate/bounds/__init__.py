"""How large violations of parallel trends must be before an effect's interval reaches 0.

- `by_size`: Intervals of an effect by size of the violations: the ends for a size, and whether they leave out 0.
- `coefficients`: Coefficients of an event study as bounds need them: in order, without a gap, with a covariance that
  can be one.
- `conditional_arrays`: Kernel of the conditional and hybrid tests of Andrews, Roth and Pakes (2023) for effects under
  A δ ≤ d.
- `fixed_length_arrays`: Kernel of fixed-length intervals where the slope of violations changes by at most M from
  period to period.
- `least_favourable_arrays`: Kernel of least-favourable critical values: the quantile of the largest of K correlated
  normals with mean 0.
- `of_effects`: Bounds on violations of parallel trends for an event study that the kit made, where its covariance can
  be trusted.
- `permuted_bounds`: How large a parting of trends one treated area's rank, or a list's among sets, would bear:
  breakdown by permutation.
- `permuted_bounds_arrays`: Kernels of bounds by permutation: years to effect and steps, and every stand-in placed at
  once for many biases.
- `rays_arrays`: Kernel of what is left of a system of inequalities once its free unknowns are gone: the extreme rays
  of its dual.
- `restrictions_arrays`: Kernel of what is assumed of violations: systems A δ ≤ d over the violations δ before and
  after the start.
- `violation_bounds`: How far an effect's interval widens when trends are not parallel, by Rambachan and Roth (2023).
"""
