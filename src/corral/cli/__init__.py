"""Command lines: views on the API. Only names, order of arguments and output live here."""
