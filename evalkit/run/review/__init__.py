"""Finished runs checked: made again, set side by side, and packed for others to check.

- `again`: A run made again in its workspace: by this kit, or by the code and the packages it had, in a fresh
  environment.
- `blocks`: Which block every key of a project file belongs to, and what differs between two runs, block by block.
- `code_crossing`: Two runs each made again with the code and the packages of the other: what code has of the
  difference.
- `compare`: `evalkit compare`: what differs between two runs, and what part of each effect's difference is due to
  what.
- `compare_page`: Two runs side by side, as a reviewer reads them in a minute: the effects, what moves them, and what
  differs.
- `compared`: What two runs set side by side say: each effect in both, and each block's part of its difference.
- `crossing`: Projects with some choices, files or data of one run and the others of another, evaluated without
  reports.
- `data_statement`: Where the published files of a run come from and how to get them, since they do not travel with a
  pack.
- `differences`: Two makings of the same outputs set side by side: to the byte, and number by number.
- `finished`: A finished run as reviewers name it: a folder of outputs, the slug of one, or a pack; read, and never
  written to.
- `materials`: What a run was made from, found again by SHA-256, and laid out in a workspace of its own.
- `pack`: `evalkit pack`: one archive from which others can verify a report, and in which no data travel.
- `pack_readme`: The README of a pack, in the order that the Data and Code Availability Standard asks.
- `shares`: A difference shared out among the blocks that make it: Shapley shares, or one order and its reverse.
- `verify`: `evalkit verify`: makes a finished run again from its manifest, and says what is the same and what is not.
- `verify_page`: What became of a run made again: the verdict first, then files, effects, outputs, and what explains
  them.
- `wheel`: A wheel of this kit as it is installed, the same to the byte for the same code, made without any tool for
  it.
"""
