"""The pages and routes, one module per family."""
