"""An invented portfolio with two years of history, made by ``manage.py load_sample``.

Everything follows from a seed and a day: the same two give the same rows, ids included.
"""
