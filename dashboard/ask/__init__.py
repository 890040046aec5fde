"""Questions answered with the product's own figures; see docs/ask.md.

``lookups`` read, ``findings`` is what they give, ``grammar`` reads a question without a model, and
``answering`` writes sentences around what was found.
"""
