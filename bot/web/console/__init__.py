"""The editors' console at `/console`: log-in, pages, drafts, publishing, tables."""
