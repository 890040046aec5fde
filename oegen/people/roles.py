"""The three roles, which are groups (oegen.admin.grants says what each may do).

Managers have no permission at all: the pages need a login only, and the admin refuses them.
"""

PORTFOLIO_MANAGERS = "Portfolio managers"
MANAGERS = "Managers"
ADMINISTRATORS = "Administrators"
ROLES = (PORTFOLIO_MANAGERS, MANAGERS, ADMINISTRATORS)

#: The permission that opens the admin; the two groups that edit have it.
ENTER_ADMIN = "oegen.enter_admin"
