"""One or few treated areas against a weighted average of donors.

- `conformal`: Conformal inference for treated areas: residuals moved in time, and effects that survive the test.
- `control`: Synthetic control, its ridge-augmented form, and synthetic difference-in-differences: three ways to
  weight donors.
- `placebos`: Placebo in space and in time, and how far the result rests on one donor.
- `result`: What became of treated areas beside what their donors say would have been: the result of every area
  method.
- `weights_arrays`: What one treated series would have been, from the series of donors; and every donor as if it were
  treated.
"""
