"""Counts the books of authors, all of which are fetched in advance."""

import gc
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


class Author(models.Model):
    name = models.CharField(max_length=100)

    class Meta:
        app_label = "shop"


class Book(models.Model):
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")
    title = models.CharField(max_length=100)

    class Meta:
        app_label = "shop"


def library():
    with connection.schema_editor() as editor:
        editor.create_model(Author)
        editor.create_model(Book)
    authors = [Author.objects.create(name="author %d" % number) for number in range(50)]
    Book.objects.bulk_create(
        Book(author=author, title="book %d" % number) for author in authors for number in range(100)
    )


def main():
    library()
    authors = list(Author.objects.prefetch_related("books"))
    most = max(len(author.books.all()) for author in authors)
    gc.collect()
    print("ready", flush=True)
    sys.stdin.readline()
    print(len(authors), "authors with", most, "books at most")


main()
