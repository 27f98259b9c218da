"""`evalkit fetch`: public files as they are published, checked, registered, and gone on with where they broke off.

- `addresses`: Where public files are: the kit's own addresses, and those of a file that a user gives in their place.
- `command`: `evalkit fetch`: the files of a source into a folder, what became of each, and what to type next.
- `contents`: Whether what came is the kind of file that was asked for, and whole: no page of words, no half of an
  archive.
- `one_file`: One file into the folder: under its name only once it is whole, and what was there before never lost.
- `part`: What has come of a file so far, as NAME.part, and what says whether the rest may be put behind it.
- `progress`: How far a file has come: one line that grows on a terminal, plain lines now and then otherwise.
- `register`: `evalkit-fetched.json`: where each file of a folder was fetched from, when, and what it was.
- `transfer`: One file over the network: asked for again where that may help, gone on with where it broke off, or a
  reason why not.
- `versions`: Which version of a data set of Explore Education Statistics is fetched: the newest, by its number in the
  address.
- `wanted`: What is asked for, file by file: summers and authorities put into addresses, and what there cannot be,
  with why.
"""
