"""Commands for a table and no project: `did`, `match`, `synth`, `similar`; and `power`.

- `did`: From what `evalkit did` is asked and its table to an answer, and from the answer to all that is told of it.
- `did_json`: The answer of `evalkit did` as plain data; what cannot be given is `{"unavailable": reason}`.
- `did_layout`: Lines and aligned tables on a terminal; reasons stand below a table, numbered.
- `did_options`: `evalkit did FILE …`: what it may be asked, and the request that is left when everything in it holds
  together.
- `frame_csv`: A table of ids and numbers as CSV that no spreadsheet runs and no terminal obeys.
- `match`: `evalkit match FILE …`: a comparison group, its balance and an effect, for someone with a table and no
  project.
- `match_answer`: From a request and its table to everything that is told: the design, its balance, the effect, what
  could be wrong.
- `match_border`: What of a match of people may be told: the same answer, with everything withheld that rests on too
  few of them.
- `match_files`: What `evalkit match --out FILE` writes: whole, or not at all.
- `match_json`: The result of `evalkit match` as one JSON object; what cannot be given is `{"unavailable": reason}`.
- `match_method`: From what was asked of `evalkit match` to the option object of its method.
- `match_options`: What `evalkit match` may be asked, and the request that is left when everything in it holds
  together.
- `match_page`: The result of `evalkit match` as a document with figures.
- `match_parts`: The parts of options that are written as texts: lists of names, calipers, cutpoints.
- `match_text`: The result of `evalkit match` as a text for a person.
- `power`: What a project's design could detect, before any outcome is read: `evalkit power`.
- `similar`: `evalkit similar FILE …`: which schools or areas are most like one, for someone with a table and no
  project.
- `similar_answer`: From a request and its table to lists of similar units.
- `similar_text`: The lists of `evalkit similar` as a text for a person, as one JSON object, and as files.
- `synth`: From what `evalkit synth` is asked and its table to an answer, and from the answer to all that is told of
  it.
- `synth_json`: The answer of `evalkit synth` as plain data; what cannot be given is `{"unavailable": reason}`.
- `synth_options`: `evalkit synth FILE …`: what it may be asked, and the request that is left when all of it holds
  together.
- `written`: The answer to a command, printed or written: on the terminal, as JSON, as a page, for Word, as PDF or as
  CSV.
"""
