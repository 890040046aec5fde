"""Precision and recall of matching on editions whose answer is known: ``python -m
tests.benchmarks.matching FOLDER``, with the files of public registers in the folder."""
