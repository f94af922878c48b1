"""BentoML with adaptive batching and two workers (docs.bentoml.com: Adaptive batching, Parallelize requests)."""

import bentoml
import numpy as np
import pandas as pd
from rows import load, table


@bentoml.service(workers=2, logging={"access": {"enabled": False}})
class Rows:
    def __init__(self) -> None:
        self.model = load()
        self.named = hasattr(self.model, "feature_names_in_")

    @bentoml.api(batchable=True, route="/invocations", max_batch_size=3200)
    def predict(self, data: pd.DataFrame) -> np.ndarray:
        rows = table(data)
        return self.model.predict(rows if self.named else rows.to_numpy())
