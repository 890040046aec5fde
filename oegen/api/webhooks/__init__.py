"""Webhooks: messages to programs of others that something happened.

A message is thin: it has the number of the change set, kinds and ids, and whoever receives it
fetches the rest by an access token. It is written in the transaction of the change set
(``outbox``), signed as Standard Webhooks has it (``signing``) and sent by a job (``sending``).
"""
