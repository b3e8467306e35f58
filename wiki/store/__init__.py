"""Where documents are kept: the protocol and its stores."""
