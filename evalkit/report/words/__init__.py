"""Sentences: what a report says of the numbers.

- `answers`: What all analyses of a project say, in sentences that follow their kind and their estimand, whatever the
  kind.
- `bounds`: The table of bounds on violations of parallel trends, and what is said of them.
- `did`: What `evalkit did` found, what of it may be told, and the sentences around its tables.
- `front`: What stands once at the top of everything that a project gives: who answers for it, when, for whom, of what
  data.
- `judged`: How published scales would rate the design of any analysis: each entry with the rule that gives it.
- `matched`: Sentences on a matched or weighted comparison: how it was made, whom it leaves out, and what its effect
  says.
- `names`: The words a report uses for codes, and those it never uses.
- `plan_kept`: Whether the plan was locked, when, and what was done otherwise: the same in summary, annex and on the
  terminal.
- `sentences`: The headline: the first thing a reader sees, no stronger than the numbers behind it.
- `statements`: What a report says on its face: whom it is about, what the numbers rest on, and what they cannot
  carry.
- `summary`: The page a commissioner reads first: the answer, who was compared, how sure it is and why, what it cost.
- `survey`: The answer of a survey in sentences that name no cause.
- `synth`: What `evalkit synth` found, and the sentences around its tables: one or few treated areas and their
  synthetic one.
"""
