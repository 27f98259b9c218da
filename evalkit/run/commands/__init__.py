"""What may be typed: every command in the order of use, its options, its examples, and what is refused at once.

Nothing here but `completion` loads a library: a slip of the keyboard is told before any is loaded.

- `bounds`: The options of `evalkit bounds`, and what cannot be asked of it.
- `catalogue`: Every command: what it is for, where its options stand, and the verb that does it.
- `completion`: `evalkit completion`: what lets a shell complete commands, options, values and projects, from their
  declarations.
- `did`: The options of `evalkit did`, and what cannot be asked of it.
- `fetch`: The options of `evalkit fetch`, and what cannot be asked of it.
- `match`: The options of `evalkit match`, and what cannot be asked of it.
- `options`: The options of a command: how they are declared, the help that is made of them, and how a line is read as
  them.
- `plan`: The options of `evalkit plan` and `evalkit lock`: the plan before outcomes, and its seal.
- `projects`: The options of the commands on projects and on the shell, in the order of use, and what cannot be asked
  of them.
- `review`: The options of the commands that check finished runs, and what cannot be asked of them.
- `similar`: The options of `evalkit similar`, and what cannot be asked of it.
- `synth`: The options of `evalkit synth`, and what cannot be asked of it.
- `synthetic`: The options of `evalkit synthetic`, and what cannot be asked of it.
"""
