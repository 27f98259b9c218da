"""What an analysis plan says: the words, tables and numbers of the report, before outcomes.

- `checks`: What an evaluation will check, by which thresholds, and which result will be called what.
- `document`: The statistical analysis plan of a project: one document, in the order that the EEF asks.
- `registry_entry`: A draft entry for the Evaluation Registry, filled from the plan.
- `shells`: Every table of results as it will be filled: the report's own tables, their results left blank.
"""
