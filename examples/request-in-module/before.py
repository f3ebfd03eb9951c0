"""A shop that keeps its requests for a page of what happened last."""

import gc
import sys

import flask

app = flask.Flask(__name__)
RECENT = []


@app.before_request
def note():
    RECENT.append(flask.request._get_current_object())


@app.route("/order/<int:number>")
def order(number):
    return "order %d" % number


def main():
    client = app.test_client()
    for number in range(1_000):
        client.get("/order/%d" % number)
    gc.collect()
    print("ready", flush=True)
    sys.stdin.readline()
    print(len(RECENT), "requests, the last for", RECENT[-1].path)


main()
