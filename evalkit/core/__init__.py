"""Words and quantities that every layer shares.

- `arrays`: Types of arrays, named once.
- `disclosure`: The fewest people that may be told, by where the records come from: the one home of these numbers.
- `draws`: Random draws: level, seed and number of draws with their bounds; named streams; who carries out
  replications.
- `errors`: Errors a person reads: what is wrong, where, and what to do next.
- `formats`: How numbers are written: half away from zero as DfE rounds, a true minus sign, en dashes in ranges.
- `manifest`: What a set of outputs was made from, and whether its project is still as it was then.
- `missing`: What a project declares of missing outcomes, before outcomes are read.
- `plain`: Any noun as the plain data of JSON: the one place that says how a number, an interval or a reason is
  written.
- `plan_lock`: A locked analysis plan: when it was sealed and how, and what was done otherwise since.
- `project`: A project: every analytical choice of one evaluation, in one place a reviewer can read.
- `project_parts`: Parts of a project that stand by themselves: who answers for it, its cost, families of outcomes,
  notebooks, plan.
- `quantities`: Numbers that carry their uncertainty, or the reason why there is none; the estimand, named before any
  method.
- `questions`: What a command is asked of a table: plain nouns, read off a command line by `run` and told of by
  `report`.
- `scipy_parts`: Special functions, roots and ranks by scipy's compiled parts, without the packages around them.
- `sentence`: Sentences that keep the numbers in them as numbers, so that the border can withhold one and leave the
  rest.
- `shown`: What nouns have in common: they show themselves, say in a line what they are, and give tables and figures.
- `viewer`: Who shows nouns as HTML, tables and figures: a room above, which is loaded when the first is shown.
- `words`: Texts: those of data made fit for a terminal, a document or JSON, and small helpers for messages that
  people read.
"""
