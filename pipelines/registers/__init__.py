"""Public registers of projects: who builds what, as publishers say it, edition by edition.

Nothing of the packages below reads these tables: our own totals stay ours.
"""
