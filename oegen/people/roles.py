"""The three roles, which are groups. oegen.admin.grants assigns their permissions.

Managers have no permissions: the pages only require a login, and the admin is closed to them.
"""

PORTFOLIO_MANAGERS = "Portfolio managers"
MANAGERS = "Managers"
ADMINISTRATORS = "Administrators"
ROLES = (PORTFOLIO_MANAGERS, MANAGERS, ADMINISTRATORS)

#: The permission that opens the admin; the two groups that edit have it.
ENTER_ADMIN = "oegen.enter_admin"
