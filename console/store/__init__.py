"""The configuration as it is stored: reading it, comparing it, changing it."""
