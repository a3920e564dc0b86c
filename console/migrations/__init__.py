"""The steps from one release's tables to the next, run by `console.database`."""
