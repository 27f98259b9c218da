"""Any folder of files as it comes: each told by its content.

- `catalogue`: What every file below a folder is, what it gives, and which are used: nothing is passed over in
  silence.
- `layout`: What a layout is: how a published file is told by its content, what its columns mean, and what a file of
  it gives.
- `members`: Every file below a folder, those inside archives too, each by a name that a reader can find it by.
- `raw_table`: A table as it was published: its columns, its first rows and all its cells as text, whatever form the
  file has.
"""
