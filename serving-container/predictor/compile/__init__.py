"""The `compile` command: models to ONNX, proved equal; imports `models`, `formats` and `inputs`."""
