"""Any folder of files as it comes: each told by its content.

- `catalogue`: What every file below a folder is, what it gives, and which are used: nothing is passed over in
  silence.
- `conflicts`: Which of several files for one thing is used: a rule that is stated, and a reason for every other one.
- `csv_blocks`: The records of a CSV file in blocks of text columns: every cell as published, in memory of a block at
  a time.
- `csv_start`: How a CSV file begins: its encoding, what separates its cells, its header and first rows.
- `json_table`: The properties of the features of GeoJSON, or a list of records in JSON, as rows of text.
- `layout`: What a layout is: how a published file is told by its content, what its columns mean, and what a file of
  it gives.
- `members`: Every file below a folder, those inside archives too, each by a name that a reader can find it by.
- `raw_table`: A table as it was published: its columns, its first rows and all its cells as text, whatever form the
  file has.
- `recognition`: Which layout a file has, by its content; of one that has none, which it comes nearest to.
- `signature`: What form a file has, by its first bytes; its name counts only where these do not tell.
- `workbook`: The sheets of a workbook (.xlsx, .xls, .ods) as text, within limits.
"""
