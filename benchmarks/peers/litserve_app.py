"""LitServe with batching and two workers (lightning.ai/docs/litserve: Batching, Scaling)."""

import sys
from typing import Any

import litserve
import numpy as np
import pandas as pd
from rows import load, rows


class Rows(litserve.LitAPI):
    def setup(self, _device: str) -> None:
        self.model = load()

    def decode_request(self, request: dict[str, Any]) -> Any:
        return rows(request)

    def batch(self, inputs: list[Any]) -> tuple[Any, list[int]]:
        together = (
            pd.concat(inputs, ignore_index=True) if isinstance(inputs[0], pd.DataFrame) else np.concatenate(inputs)
        )
        return together, [len(each) for each in inputs]

    def predict(self, batch: tuple[Any, list[int]]) -> list[np.ndarray]:
        together, lengths = batch
        return np.split(self.model.predict(together), np.cumsum(lengths)[:-1])

    def unbatch(self, output: list[np.ndarray]) -> list[np.ndarray]:
        return output

    def encode_response(self, output: np.ndarray) -> dict[str, list[float]]:
        return {"predictions": output.tolist()}


if __name__ == "__main__":
    api = Rows(max_batch_size=32, batch_timeout=0.005, api_path="/invocations")
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=2, healthcheck_path="/ping")
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="warning")
