"""The site over all projects.

- `page`: The portfolio's page: one file that needs no network, and works as a plain page without its script.
- `site`: Every file of the portfolio's site but its manifest.
- `tables`: Tables of the portfolio, each released.
- `words`: Sentences of the portfolio: what is here, what was pooled, how sure, and why something was not.
"""
