"""What could be wrong with a matched or weighted comparison.

- `balance`: How alike the arms of a matched design are, before and after matching, in every covariate.
- `balance_arrays`: One covariate in two weighted arms, and in pairs: the numbers that every statistic of balance is
  made of.
- `balance_registry`: The statistics of balance: each with its key, function, label, thresholds and the sentence for a
  reader.
- `findings`: What could be wrong with a matched design itself: likeness, overlap, weights, units lost.
- `oster`: How much more what was not measured would have to matter than what was, judged by how covariates move the
  effect.
- `regression_arrays`: Numerical kernels of a regression's sensitivity to what was left out: arrays in, numbers out.
- `regression_to_mean`: Regression to the mean: were the treated chosen on a passing low (or high), which returns by
  itself?
- `robustness_value`: How strong something not measured must be to explain a regression's effect, set against what was
  measured.
- `rosenbaum`: How strong a hidden bias in who took part would have to be to explain a difference between matched
  pairs.
- `sensitivity`: What a matched comparison withstands of what was not measured: every measure of it that applies, side
  by side.
"""
