"""Ordered categories before and after.

- `transitions_arrays`: Matrices of categories before and after: counts, what improved, and the test of symmetry.
"""
