"""Flask application behind nginx and gunicorn: the model is loaded on first use, as in AWS's sample."""

import os
from functools import cache
from typing import Any

import flask
import joblib
import numpy as np

app = flask.Flask(__name__)


@cache
def model() -> Any:
    return joblib.load(os.environ["MODEL"])


@app.get("/ping")
def ping() -> flask.Response:
    return flask.Response("\n", status=200 if model() else 404, mimetype="application/json")


@app.post("/invocations")
def invocations() -> flask.Response:
    rows = np.asarray(flask.request.get_json()["data"], dtype=float)
    return flask.jsonify(predictions=model().predict(rows).tolist())
