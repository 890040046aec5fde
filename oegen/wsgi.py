import os

from django.core.wsgi import get_wsgi_application

os.umask(0o077)  # What is written is for nobody else on this machine.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oegen.settings")

application = get_wsgi_application()
