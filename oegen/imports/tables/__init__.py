"""Imports of tables: files as other programs save them, read, matched, planned and applied.

Knows no business model: the packages register their kinds.
"""
