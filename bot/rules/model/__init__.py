"""What a rules file may say: models, field types and their parsers."""
