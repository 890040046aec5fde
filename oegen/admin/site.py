from django.contrib.admin import AdminSite


class OEGenAdminSite(AdminSite):
    pass
