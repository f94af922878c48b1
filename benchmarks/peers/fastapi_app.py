"""FastAPI with a model loaded at start, after its documentation's chapter "Lifespan events"."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import joblib
import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

models: dict[str, Any] = {}


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    models["model"] = joblib.load(os.environ["MODEL"])
    yield
    models.clear()


app = FastAPI(lifespan=lifespan)


class Rows(BaseModel):
    data: list[list[float]]


@app.get("/ping")
async def ping() -> dict[str, str]:
    return {}


@app.post("/invocations")
async def invocations(rows: Rows) -> dict[str, list[int]]:
    return {"predictions": models["model"].predict(np.asarray(rows.data)).tolist()}
