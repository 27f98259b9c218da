"""Words that a report does not use, because the design cannot carry them."""

from __future__ import annotations

import re
from typing import Final

FORBIDDEN: Final = ("impact", "led to", "no effect", "significant", "robustness check")

_NOT_OURS = re.compile(r"<q>.*?</q>|<style>.*?</style>|<head>.*?</head>", re.S)
_TAG = re.compile(r"<[^>]*>")
_ALT = re.compile(r'(?:alt|aria-label)="([^"]*)"')


def forbidden_words(page: str) -> list[str]:
    """Return the words of a page, texts for figures included, that a report does not use; quotations are exempt."""
    kept = _NOT_OURS.sub(" ", page)
    text = " ".join((_TAG.sub(" ", kept), *_ALT.findall(kept))).lower()
    return [word for word in FORBIDDEN if re.search(rf"\b{word}", re.sub(r"\s+", " ", text))]
