"""The witness: a small command that another organisation runs, so that a log cannot show two histories."""
