"""Feature extractors: a network, the crop it wants, and where its weights come from; one per file."""
