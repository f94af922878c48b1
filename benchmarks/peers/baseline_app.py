"""Flask application behind nginx and gunicorn: the model is loaded on first use, as in AWS's sample."""

from functools import cache
from typing import Any

import flask
from rows import load, rows

app = flask.Flask(__name__)
model = cache(load)


@app.get("/ping")
def ping() -> flask.Response:
    return flask.Response("\n", status=200 if model() else 404, mimetype="application/json")


@app.post("/invocations")
def invocations() -> flask.Response:
    body: dict[str, Any] = flask.request.get_json()
    return flask.jsonify(predictions=model().predict(rows(body)).tolist())
