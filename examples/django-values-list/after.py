"""The turnover of a shop, again and again, from a query set of nothing but totals."""

import sys
import threading

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
    address = models.CharField(max_length=100)
    total = models.FloatField()

    class Meta:
        app_label = "shop"


class Shop:
    def __init__(self):
        self.totals = Order.objects.filter(total__gt=0).values_list("total", flat=True)

    def turnover(self):
        turnover = 0.0
        for total in self.totals:
            turnover += total
        return turnover


SHOP = Shop()


def main():
    with connection.schema_editor() as editor:
        editor.create_model(Order)
    Order.objects.bulk_create(
        Order(customer=number % 900, address="%d Long Street" % number, total=1.0 + number % 50)
        for number in range(8_000)
    )
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    turnover = SHOP.turnover()
    print("ready", flush=True)
    while not over.is_set():
        turnover = SHOP.turnover()
    print("turnover:", turnover)


main()
