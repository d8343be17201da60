"""The steps that bring a database to the present tables, for Alembic."""
