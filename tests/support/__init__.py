"""Helpers for tests. Shared fixtures are in tests/conftest.py.

Data
- ``builders``: a record (``make_pipeline(stage="design")``), or one of every model
- ``portfolios``: portfolios of edge cases or at random
- ``player``: random writes, day by day
- ``tracked``: a record of every tracked model, the contents of all, and checks of the history
  after a write

Pages
- ``addresses``: a valid address for every route
- ``readers``: the visible text of pages, and the addresses of the history pages
- ``downloads``: readers of CSV and XLSX files
- ``workbooks``: workbooks as other programs write them; opens and saves with LibreOffice
- ``desk``: a client for the forms of the admin
- ``browser_filters``: choices in multiple-choice filters in a browser
- ``chromium``: finds the browser

Databases and processes
- ``databases``: the test database, migrated once, copied for each worker and after commits;
  a connection of its own
- ``postgres``: ``python -m tests.support.postgres COMMAND`` starts a server for a command
- ``triggers``: drops the triggers that protect the history
- ``past_guard``: fails a test that reads current tables inside ``as_of``
- ``writer``, ``racer``: processes that write concurrently
- ``fake_slack``: a fake Slack on loopback
- ``fake_openai``: a fake server of a model on loopback, which plays answers
- ``token_proxy``: a proxy on loopback that adds an access token
- ``https_receiver``: an HTTPS server on loopback with an authority of its own

By hand
- ``country_boxes``: computes bounding boxes of countries, to check those in the code
"""
