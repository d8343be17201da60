"""The editors' pages at `/console`."""
