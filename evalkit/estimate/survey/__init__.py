"""What a questionnaire or an audit tool measures, and how well.

- `change_arrays`: Change between two waves of a survey of people in schools: by school, with intervals, design
  effects and bounds.
- `reliability_arrays`: How reliable a scale is, and how far raters agree: alpha, omega, intraclass correlations,
  weighted kappa.
"""
