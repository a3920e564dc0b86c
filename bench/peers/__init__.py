"""Other programs that do the dispatcher's work, to be measured beside it."""
