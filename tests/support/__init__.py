"""What tests are built with. The fixtures that many tests share are in tests/conftest.py.

Data
- ``builders``: one record (``make_pipeline(stage="design")``), or one of every kind
- ``portfolios``: whole portfolios, awkward ones and random ones
- ``player``: a history played day by day
- ``tracked``: for every audited model a record to write to, and what a write left in the history

Pages
- ``addresses``: an address at which there is something, for any route
- ``readers``: what people see on a page, and the addresses of the history pages
- ``downloads``: what a spreadsheet reads from a CSV or XLSX file
- ``desk``: somebody at the admin, by HTTP, who opens forms and sends them
- ``browser_filters``: the filters of several choices, worked in a browser
- ``chromium``: where the browser is

Databases and processes
- ``databases``: the test database, migrated once, copied for each worker and after commits
- ``postgres``: ``python -m tests.support.postgres COMMAND`` starts a server for a command
- ``triggers``: lift the triggers that keep history from being changed
- ``past_guard``: fails a test that reads the present inside ``as_of``
- ``writer``, ``racer``: what processes do that write at the same time
- ``fake_slack``: an HTTP server on loopback that plays Slack

By hand
- ``country_boxes``: boxes around countries from their borders, to check the program's own
"""
