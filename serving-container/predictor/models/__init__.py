"""Models as saved by each library, loaded to predict; imports `inputs` and the top-level modules."""
