"""Pages and files as tables: conditions, columns, values, CSV."""
