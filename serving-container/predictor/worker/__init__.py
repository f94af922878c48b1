"""The processes that predict: imports `models`, `formats`, `inputs` and the top-level modules."""
