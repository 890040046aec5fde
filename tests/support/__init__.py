"""What tests are built with.

- ``builders``: one record (``make_pipeline(stage="design")``); ``portfolios``: whole portfolios,
  awkward ones and random ones; ``player``: a history played day by day
- ``addresses``: an address at which there is something, for any route
- ``postgres``: ``python -m tests.support.postgres COMMAND`` starts a server for a command
- ``chromium``: where the browser is
- ``triggers``: lift the triggers that keep history from being changed
- ``past_guard``: fails a test that reads the present inside ``as_of``
- ``country_boxes``: boxes around countries from their borders, to check the program's own
"""
