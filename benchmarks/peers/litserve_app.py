"""LitServe with batching and two workers (lightning.ai/docs/litserve: Batching, Scaling)."""

import os
import sys
from typing import Any

import joblib
import litserve
import numpy as np


class Rows(litserve.LitAPI):
    def setup(self, _device: str) -> None:
        self.model = joblib.load(os.environ["MODEL"])

    def decode_request(self, request: dict[str, Any]) -> np.ndarray:
        return np.asarray(request["data"], dtype=float)

    def batch(self, inputs: list[np.ndarray]) -> tuple[np.ndarray, list[int]]:
        return np.concatenate(inputs), [len(rows) for rows in inputs]

    def predict(self, batch: tuple[np.ndarray, list[int]]) -> list[np.ndarray]:
        rows, lengths = batch
        return np.split(self.model.predict(rows), np.cumsum(lengths)[:-1])

    def unbatch(self, output: list[np.ndarray]) -> list[np.ndarray]:
        return output

    def encode_response(self, output: np.ndarray) -> dict[str, list[int]]:
        return {"predictions": output.tolist()}


if __name__ == "__main__":
    api = Rows(max_batch_size=32, batch_timeout=0.005, api_path="/invocations")
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=2, healthcheck_path="/ping")
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="warning")
