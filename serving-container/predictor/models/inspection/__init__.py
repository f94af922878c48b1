"""What a fitted estimator takes, found out from the estimator; imports `inputs` only."""
