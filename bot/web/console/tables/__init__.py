"""Tables for spreadsheets: CSV downloads of every list, and the rules as a table of keywords (CSV, XLSX)."""
