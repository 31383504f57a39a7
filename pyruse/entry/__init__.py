"""One entry of the journal: from bytes to the values that steps see."""
