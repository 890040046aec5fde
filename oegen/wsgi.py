import gc
import os

from django.apps import apps
from django.core.wsgi import get_wsgi_application
from django.db.backends.signals import connection_created
from django.dispatch import receiver
from django.template import engines
from django.urls import reverse

os.umask(0o077)  # Files that the site writes are private to its user.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oegen.settings")

application = get_wsgi_application()


@receiver(connection_created)
def keep_little_in_memory(connection, **kwargs):
    """A server has a connection for each thread. SQLite then caches 1 MB for each instead of 64,
    which help commands that write much, and has what it sorts and stores for a moment in files.
    Pages take no longer, because the file of the database is mapped into memory."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA cache_size=-1000")
            cursor.execute("PRAGMA temp_store=FILE")


# What Django would load with the first page: the addresses with their views, the tags of templates
# and the relations of models. The workers of a preloaded server share what is here before they are.
reverse("admin:index")
engines.all()
for model in apps.get_models():
    model._meta.get_fields()

# What is loaded now stays: without it, collecting the garbage of a request takes half the time.
gc.collect()
gc.freeze()
