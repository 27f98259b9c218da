"""What may be typed: every command in the order of use, its options, its examples, and what is refused at once.

`catalogue` lists the commands, `options` says how options are declared and makes help of them, `reading` reads a line,
`shared` holds options of several commands; each other file is one command. Nothing here loads a library: a slip of the
keyboard is told before any is loaded.
"""
