"""The HTTP routes of the console, a noun a file."""
