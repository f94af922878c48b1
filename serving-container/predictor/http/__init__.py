"""HTTP/1.1: bytes to exchanges and back; imports the top-level modules only, and knows no model."""
