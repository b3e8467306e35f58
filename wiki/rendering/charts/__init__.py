"""Charts as SVG, made by the server: numbers (``data.py``), plots of them, and their parts."""
