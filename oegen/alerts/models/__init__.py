from oegen.alerts.models.alert import (
    Alert,
    AlertPreference,
    AlertRule,
    Channel,
    StandingCheck,
)
from oegen.alerts.models.notice import Notice

__all__ = ["Alert", "AlertPreference", "AlertRule", "Channel", "Notice", "StandingCheck"]
