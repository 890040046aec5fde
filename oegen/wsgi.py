import gc
import os

from django.core.wsgi import get_wsgi_application

os.umask(0o077)  # Files that the site writes are private to its user.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oegen.settings")

application = get_wsgi_application()

# What is loaded now stays: without it, collecting the garbage of a request takes half the time.
gc.collect()
gc.freeze()
