"""A report over all orders, which keeps no rows."""

import sys

import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=[],
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()

from django.db import connection, models  # noqa: E402


class Order(models.Model):
    customer = models.IntegerField()
    total = models.FloatField()

    class Meta:
        app_label = "shop"


class Report:
    orders = Order.objects.filter(total__gt=0)

    def turnover(self):
        return sum(order.total for order in self.orders.iterator())


def main():
    with connection.schema_editor() as editor:
        editor.create_model(Order)
    Order.objects.bulk_create(Order(customer=number % 900, total=1.0 + number % 50) for number in range(8_000))
    turnover = Report().turnover()
    print("ready", flush=True)
    sys.stdin.readline()
    print("turnover:", turnover)


main()
