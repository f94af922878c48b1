"""BentoML with adaptive batching and two workers (docs.bentoml.com: Adaptive batching, Parallelize requests)."""

import os

import bentoml
import joblib
import numpy as np


@bentoml.service(workers=2, logging={"access": {"enabled": False}})
class Rows:
    def __init__(self) -> None:
        self.model = joblib.load(os.environ["MODEL"])

    @bentoml.api(batchable=True, route="/invocations", max_batch_size=3200)
    def predict(self, data: np.ndarray) -> np.ndarray:
        return self.model.predict(data)
