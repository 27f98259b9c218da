"""Which schools and areas are one over time.

- `schools`: Which URNs are one school over time: by GIAS links, by LAESTAB, or by both; what was decided of each, and
  why.
"""
