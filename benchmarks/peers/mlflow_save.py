"""Save a scikit-learn model the way MLflow serves it: `mlflow_save.py MODEL DIRECTORY`."""

import sys

import joblib
import mlflow.sklearn

mlflow.sklearn.save_model(
    joblib.load(sys.argv[1]),
    sys.argv[2],
    serialization_format="cloudpickle",
    pip_requirements=["scikit-learn"],
)
