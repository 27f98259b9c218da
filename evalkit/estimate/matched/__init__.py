"""Effects after matching or weighting, with errors that suit how the comparison was made.

- `abadie_imbens`: The matching estimator of Abadie and Imbens: nearest neighbours with every tie kept, bias
  correction, own errors.
- `abadie_imbens_arrays`: Matching with replacement: the nearest rows with every tie, the effect from imputed
  outcomes, its error.
- `after_matching`: Change, analysis of covariance and difference after matching, and the bracket of the first two.
- `after_matching_arrays`: Change, analysis of covariance and difference after matching, as numbers of weighted
  arrays.
- `bootstrap`: The bootstrap after matching or weighting, where it is known to hold, and the reason where it does not.
- `contrast_arrays`: The difference between two arms by weighted least squares, and its errors when rows, sets or both
  are independent.
- `matched_effect`: The effect after matching or weighting, with errors that suit how the comparison group was made.
- `matched_panel`: A matched sample over time: the panel of the units matched, with their weights, for every staggered
  estimator.
- `regression`: The weighted regression after matching, with errors for independent units, sets, clusters, or two of
  these.
- `set_statistic`: What a matched comparison would find of any other set of schools: the matching made again, then the
  estimates.
- `task`: What may be asked of an estimate after matching, and the design and outcome checked and as arrays.
- `weighted_effect`: The effect after weighting, with errors that carry along how the weights were estimated
  (M-estimation).
"""
