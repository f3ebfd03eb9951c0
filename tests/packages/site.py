"""A site made with Django. A receiver of a signal keeps every user that was saved, a view keeps every request."""

import sys
import types
import wsgiref.simple_server

import django
from django.conf import settings

settings.configure(
    ROOT_URLCONF="shop_urls",
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="k",
    DEBUG=False,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

VIEWS = """
from django.contrib.auth.models import User
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpResponse

SEEN = {}

class Audit:
    saved = []

@receiver(post_save, sender=User)
def audit(sender, instance, **more):
    Audit.saved.append(instance)

def user(request, number):
    User.objects.create(username='user%d' % number, last_name='of the shop, number %d, ' % number * 100)
    return HttpResponse('users %d' % User.objects.count())

def page(request, number):
    request.lines = ['line %d of page %d' % (line, number) for line in range(200)]
    SEEN[number] = request
    return HttpResponse('page %d' % number)

from django.urls import path
urlpatterns = [path('user/<int:number>', user), path('page/<int:number>', page)]
"""
views = sys.modules["shop_views"] = sys.modules["shop_urls"] = types.ModuleType("shop_views")
exec(VIEWS, views.__dict__)


class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *words):
        pass


call_command("migrate", verbosity=0)
server = wsgiref.simple_server.make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet)
print("port", server.server_port)
server.serve_forever()
