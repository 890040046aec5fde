"""Which project of a register is which of ours: pure functions on dataclasses, without a database.

A match is searched in steps, each a module: texts become names that can be compared
(``normalising``, ``companies``), equal fields are paired (``exact``), an index finds the few
entries that may be meant (``blocking``), each is scored by weights of evidence (``scoring``), and
the scores of all of them together decide (``deciding``).
"""
