"""Tables of each noun.

- `analyses`: Tables over all analyses of a project: what each estimates, what each gives, how sure, and what could be
  wrong.
- `beside_models`: Results as coefficients: what a table of models, of this kit and of other packages, sets side by
  side.
- `checklist`: The checklist of a credible evaluation, each item with where this report covers it or why it does not.
- `curve`: What other defensible choices would have given: the specification curve in words and tables, planned and
  made.
- `data`: What was read, counted: units by arm, cohort or reason; never a row, an id of a person or a small count.
- `design`: Tables of everything decided before outcomes.
- `dose`: Tables of an analysis by dose: who had how much, the lines, and what stands against those outside.
- `effects`: Tables of effects, how uncertain they are by every kind of inference, and the key numbers of the summary.
- `matched`: Tables of a matched or weighted comparison: units, balance, effect, what could be wrong, what it
  withstands.
- `missing`: Tables of missing outcomes: who was lost in each arm and why, and what the estimate would be.
- `models`: Tables of models of pupils in schools and of effects in standard deviations.
- `outcomes`: Tables with one row for each outcome: who, means, differences, effect sizes, tests, what could be
  detected.
- `power`: Tables of what a project's design could detect, before any outcome is read.
- `rehearsal`: A design rehearsed where nothing happened, in words and tables for commissioner and authors.
- `reproducibility`: The appendix: choices as read, files with their hashes, versions, and how to make the report
  again.
- `review`: Tables of what could be wrong, what was claimed, what it cost, what trends may part by, and who moves the
  result.
- `school_lists`: What lists of schools and outlines of areas hold: rows counted, areas named; never a row of a
  school.
- `similar`: Lists of similar schools and areas that a headteacher can read.
- `staggered`: Tables of cohorts that start in different periods: who is compared, the effects, and what they are
  averaged to.
- `subgroups`: Tables of subgroups and of outcomes judged together: each effect, how they differ, and p-values
  adjusted.
- `synthetic`: Tables of one or few treated areas against a weighted average of others.
- `two_way`: Tables of the two-way effect, of the ways to its error, and of what it is an average of.
"""
