"""Commands for a table and no project: `did`, `match`, `synth`, `similar`; and `power`.

- `did`: From what `evalkit did` is asked and its table to an answer, and from the answer to all that is told of it.
- `did_json`: The answer of `evalkit did` as plain data; what cannot be given is `{"unavailable": reason}`.
- `did_options`: `evalkit did FILE …`: from its options, which hold together, to the request, and from there to the
  answer.
- `match`: What `evalkit match` tells: one document for every drawing of it, each unit as CSV, and everything as plain
  data.
- `match_answer`: From a request and its table to an answer, and from it what may be told where units are people.
- `match_options`: `evalkit match FILE …`: from its options, which hold together, to the request, and from there to
  the answer.
- `power`: What a project's design could detect, before any outcome is read: `evalkit power`.
- `rehearse`: What a project's design finds where nothing happened: `evalkit rehearse`.
- `similar`: From what `evalkit similar` is asked and its table to lists of similar units, and all that is told of
  them.
- `similar_options`: `evalkit similar FILE …`: from its options, which hold together, to the request, and from there
  to the lists.
- `synth`: From what `evalkit synth` is asked and its table to an answer, and from the answer to all that is told of
  it.
- `synth_options`: `evalkit synth FILE …`: from its options, which hold together, to the request, and from there to
  the answer.
- `written`: The answer to a command, printed or written: on the terminal, as JSON, as a page, for Word, as PDF or as
  CSV.
"""
