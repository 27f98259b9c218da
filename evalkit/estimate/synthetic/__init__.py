"""One or few treated areas against a weighted average of donors.

- `conformal`: Conformal inference for treated areas: residuals moved in time, and effects that survive the test.
- `connected_arrays`: Sets of areas that border each other: grown at random, and how many of them have no area in
  common.
- `control`: Synthetic control, its ridge-augmented form, and synthetic difference-in-differences: three ways to
  weight donors.
- `placebos`: Placebo in space and in time, and how far the result rests on one donor.
- `pooled`: Several treated areas with starts of their own: partially pooled weights, and donors that take their
  starts.
- `pooled_arrays`: Weights of donors for several treated areas with starts of their own: found together, fitting each
  and their mean.
- `result`: What became of treated areas beside what their donors say would have been: the result of every area
  method.
- `study`: Everything that is asked of one way of weighting donors: effect, placebos, moved residuals, donors left
  out.
- `weights_arrays`: What one treated series would have been, from the series of donors; and every donor as if it were
  treated.
"""
