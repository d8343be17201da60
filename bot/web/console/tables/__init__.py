"""Tables for spreadsheets: CSV downloads, CSV and XLSX files, rules as a table of keywords."""
