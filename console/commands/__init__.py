"""The commands of `pca` that talk to the console."""
