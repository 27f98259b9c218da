"""Two-way fixed effects, and the inference that few treated clusters leave.

- `absorbed_arrays`: Least squares with unit effects taken out exactly, and its contrasts: an effect for each cohort
  and period.
- `bacon`: The Goodman-Bacon decomposition: which comparisons a two-way effect is an average of.
- `conley_taber`: Conley–Taber inference: few treated clusters, judged by the residuals of many comparison clusters.
- `inference_arrays`: The two-way effect under other assignments, placebo residuals and wild draws, from sums by
  cluster.
- `panel_rows`: A panel's rows as arrays in the order of clusters, and how many clusters are treated.
- `randomisation`: Randomisation inference: the two-way effect among those of other assignments of treatment.
- `recommended`: The inference that the numbers of clusters support, carried out for the two-way effect; the wild
  bootstrap.
- `two_way`: Classic two-way fixed effects: one number for treatment, and one coefficient for each period around the
  start.
- `two_way_arrays`: Unit and period effects taken out exactly, and the two-by-two comparisons that a two-way effect is
  made of.
"""
