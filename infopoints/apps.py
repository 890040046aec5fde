from django.apps import AppConfig


class InfopointsConfig(AppConfig):
    name = "infopoints"
    verbose_name = "Information points"
