"""Media types: bodies to rows and predictions to bodies; imports `inputs` and the top-level modules."""
