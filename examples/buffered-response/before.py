"""Sends all orders of a year as one text; the client takes it line by line."""

import sys

import flask

app = flask.Flask(__name__)


def lines():
    for number in range(200_000):
        yield "%d,2024-05-%02d,paid\n" % (number, 1 + number % 31)


@app.route("/orders.csv")
def orders():
    return flask.Response("".join(lines()), mimetype="text/csv")


def main():
    with app.test_request_context("/orders.csv"):
        response = app.full_dispatch_request()
        print("ready", flush=True)
        sys.stdin.readline()
        print("sent", sum(len(piece) for piece in response.iter_encoded()), "bytes")


main()
