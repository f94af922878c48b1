"""Faster ways to the same predictions for some estimators; imports `inspection` only."""
