"""The commands, one module a reader: arguments and printing only."""
