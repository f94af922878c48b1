"""FastAPI with a model loaded at start, after its documentation's chapter "Lifespan events"."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from rows import load, rows

models: dict[str, Any] = {}


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    models["model"] = load()
    yield
    models.clear()


app = FastAPI(lifespan=lifespan)


class Split(BaseModel):
    columns: list[str] = []
    data: list[list[float | str | None]]


@app.get("/ping")
async def ping() -> dict[str, str]:
    return {}


@app.post("/invocations")
async def invocations(split: Split) -> dict[str, list[float]]:
    return {"predictions": models["model"].predict(rows(split.model_dump())).tolist()}
