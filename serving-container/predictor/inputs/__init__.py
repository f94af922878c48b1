"""What a model takes, and rows of it; imports the top-level modules only."""
