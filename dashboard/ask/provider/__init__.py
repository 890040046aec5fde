"""Answers in the prose of a model, which chooses what to look up and states no figure itself.

``client`` asks the server of the model, ``messages`` is what it is told, ``rounds`` the
conversation, ``checking`` what each sentence has to pass before anybody sees it, ``budget`` how
much may be asked.
"""

from dashboard.ask.provider.retelling import retell
from dashboard.ask.provider.rounds import answer, is_configured

__all__ = ["answer", "is_configured", "retell"]
