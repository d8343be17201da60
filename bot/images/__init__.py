"""Image files: format, size, use from disk, resizing."""
