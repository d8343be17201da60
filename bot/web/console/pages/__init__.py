"""The console's pages, a module each."""
