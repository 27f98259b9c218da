"""Finished runs checked: made again, set side by side, and packed for others to check.

- `again`: A run made again in its workspace: by this kit, or by the code and the packages it had, in a fresh
  environment.
- `differences`: Two makings of the same outputs set side by side: to the byte, and number by number.
- `finished`: A finished run as reviewers name it: a folder of outputs, the slug of one, or a pack; read, and never
  written to.
- `materials`: What a run was made from, found again by SHA-256, and laid out in a workspace of its own.
- `verify`: `evalkit verify`: makes a finished run again from its manifest, and says what is the same and what is not.
- `verify_page`: What became of a run made again, for a reader: the verdict first, then files, effects, outputs, and
  what explains them.
- `wheel`: A wheel of this kit as it is installed, the same to the byte for the same code, made without any tool for
  it.
"""
