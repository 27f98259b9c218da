"""What may leave: tables, sentences and figures, and the disclosure control that they pass.

- `disclosure`: Disclosure control at the border: counts of pupils under the threshold do not leave, nor what would
  give them away.
- `markup`: Released tables as accessible HTML, as CSV and as frames, and what a notebook keeps of a noun it shows.
- `parts`: The pieces of a report (headings, texts, sentences, figures, tables), and their way through a notebook and
  back.
- `people`: Tables of a project whose units are people, as they may leave: every number stands beside the people it
  rests on.
- `release`: Disclosure control over a whole release: what its tables tell together, and beside an earlier release.
- `same_people`: Which counts of a release may be of the same people under different names, where its units are
  people.
- `suppression_arrays`: What an attacker can deduce of hidden cells, and which cells to hide beside them: linear
  programmes over arrays.
- `table`: A table before it is released: values with their kinds, not yet fit to be shown, and its record in JSON.
- `told_effects`: Which effects of repeated cross-sections may be told: none that rests on too few people, nor what
  would give it away.
"""
