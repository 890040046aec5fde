"""Questions read without a model, over the product's own vocabulary.

``read(question, asker)`` gives a ``Reading``. Every word has to be accounted for: a rule takes the
words that it understands, and a question of which a word is left is refused with that word. So a
reading never leaves out what it did not understand.
"""

from dashboard.ask.grammar.parser import read
from dashboard.ask.grammar.reading import ASKS, REFUSED, Choice, Reading

__all__ = ["ASKS", "REFUSED", "Choice", "Reading", "read"]
