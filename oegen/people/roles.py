"""The three roles, which are groups. oegen.admin.grants assigns their permissions.

Managers have only the permissions that every role has (``EVERY_ROLE_MAY`` of a model): most pages
only require a login, and the admin is closed to them.
"""

PORTFOLIO_MANAGERS = "Portfolio managers"
MANAGERS = "Managers"
ADMINISTRATORS = "Administrators"
ROLES = (PORTFOLIO_MANAGERS, MANAGERS, ADMINISTRATORS)

#: The permission that opens the admin; the two groups that edit have it.
ENTER_ADMIN = "oegen.enter_admin"
