"""One document, drawn as a page, for Word, as PDF and on the terminal.

- `checkers_log`: The log of a release in the form that output checkers in the UK read: results.json, config.json and
  checksums.
- `contents`: What the documents and files of a project are drawn from, as plain data and back, so that it can be
  drawn again.
- `document`: A report read back from executed notebooks: their text and what they show, never their code.
- `html`: A document as one HTML file that needs no network and no script.
- `layout`: How wide the columns of a table are on paper, in which size of type, and whether the page is turned.
- `leaving`: The contents of a project's report as they may leave: what all tables, figures and sentences tell
  together.
- `markdown`: What a notebook's author wrote: headings and the text between them, and its blocks for documents not of
  HTML.
- `own_notebooks`: A notebook of the evaluator's own as a chapter of a report, and as the file that leaves: only what
  may be shown.
- `pdf`: report.pdf and summary.pdf: tagged pages that pass PDF/UA-1, the same bytes on every machine.
- `release_page`: The page of a release: what leaves, what is withheld and why, and what no control can see.
- `released`: Every released file of a project but its notebooks and manifest; results.json as plain data.
- `terminal`: A document as lines on a terminal: headings, sentences, and aligned tables with the reasons below them,
  numbered.
- `typography`: Which characters the fonts of a PDF can show, and where a line may not end.
- `word`: Reports as Word documents, in the kit's own look or in that of a reference document.
- `word_parts`: The parts of a report as paragraphs, tables and pictures of Word.
- `word_reference`: What a Word document starts from: the kit's own look, or a reference document's, and what of it
  comes in.
- `word_xml`: Paragraphs, runs and fields of a Word document as XML; words are escaped, and what XML cannot hold is
  left out.
"""
