"""Commands for a table and no project: `did`, `match`, `synth`, `similar`; and `power`.

- `did`: `evalkit did FILE …`: difference-in-differences for someone with a table and no project.
- `did_answer`: From a request and its table to everything that is told: results, counts, what was left out, which
  inference fits.
- `did_counts`: The counts a run of `evalkit did` tells: of units in full, of single people never fewer than may be
  told of.
- `did_json`: The result of `evalkit did` as one JSON object; what cannot be given is `{"unavailable": reason}`.
- `did_layout`: Lines and aligned tables on a terminal; reasons stand below a table, numbered.
- `did_notes`: What a reader of `evalkit did` must know beside the numbers.
- `did_options`: What `evalkit did` may be asked, and the request that is left when everything in it holds together.
- `did_text`: The result of `evalkit did` as a text for a person.
- `did_text_two_way`: The classic two-way effect for a person: its error, its event study, and what it is an average
  of.
- `match`: `evalkit match FILE …`: a comparison group, its balance and an effect, for someone with a table and no
  project.
- `match_answer`: From a request and its table to everything that is told: the design, its balance, the effect, what
  could be wrong.
- `match_border`: What of a match of people may be told: the same answer, with everything withheld that rests on too
  few of them.
- `match_options`: What `evalkit match` may be asked, and the request that is left when everything in it holds
  together.
- `match_told`: What `evalkit match` tells: one document for every drawing of it, each unit as CSV, and everything as
  JSON.
- `power`: What a project's design could detect, before any outcome is read: `evalkit power`.
- `similar`: `evalkit similar FILE …`: which schools or areas are most like one, for someone with a table and no
  project.
- `similar_answer`: From a request and its table to lists of similar units, and everything that is told of them.
- `synth`: `evalkit synth FILE …`: the effect on one or few treated areas, from a table and no project.
- `synth_answer`: From a request and its table to everything that `evalkit synth` tells.
- `synth_json`: The result of `evalkit synth` as one JSON object; what cannot be given is `{"unavailable": reason}`.
- `synth_options`: What `evalkit synth` may be asked, and the request that is left when everything in it holds
  together.
- `synth_text`: The result of `evalkit synth` as a text for a person.
- `written`: The answer to a command, printed or written: on the terminal, as JSON, as a page, for Word, as PDF or as
  CSV.
"""
