"""Designs over time: cohorts that start in different periods, and treated areas with their donors.

- `area_design`: One or few treated areas and the donors from which their series without the programme is made.
- `staggered`: Difference-in-differences with cohorts that start in different periods: who is compared with whom, and
  from when.
"""
