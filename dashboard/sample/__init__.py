"""A sample portfolio with two years of history (``manage.py load_sample``).

It is reproducible: the same seed and day give the same rows, ids included. Beside it stand
excerpts of public registers (``registers.py``).
"""
