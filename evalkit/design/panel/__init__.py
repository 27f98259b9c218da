"""Designs over time: cohorts that start in different periods, and treated areas with their donors.

- `area_design`: One or few treated areas and the donors from which their series without the programme is made.
- `area_starts`: Treated areas whose programmes start in years of their own, and donors that never have one.
- `staggered`: Difference-in-differences with cohorts that start in different periods: who is compared with whom, and
  from when.
"""
