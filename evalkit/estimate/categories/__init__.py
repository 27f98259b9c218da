"""Ordered categories before and after."""
