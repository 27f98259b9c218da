"""The design of a project: areas, neighbours, matched groups, and the inference it supports.

- `areas`: Which areas are compared with which.
- `group_matching`: Nearest neighbours of every group at once, as if each had been the treated one.
- `inference`: The inference on a project's main effect: what `evalkit power` names before outcomes, and what a run
  then makes.
- `labels`: The comparisons this kit makes, each with a report's words for it, and when the lists behind them were
  drawn up.
- `listed`: Whom the areas of listed participants are set against, and how the listed are judged: for kinds that take
  a list.
- `plan`: The design of a project, made and locked before outcomes are read, and everything decided with it.
- `set_rule`: Whether listed schools are judged by sets of other schools, and by which: decided from years before the
  programme.
"""
