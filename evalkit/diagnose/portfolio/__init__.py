"""All projects of a workspace, side by side and pooled.

- `pooling_rules`: Which estimates may be pooled with which: every rule, with its reason in words.
- `portfolio`: All projects of a workspace side by side, and pooled where that may be done.
- `project_record`: What a portfolio needs to know of one finished project, its error for whole areas among it.
"""
