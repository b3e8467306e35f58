"""The web door: pages, forms and REST over HTTP."""
