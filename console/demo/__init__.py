"""`pca demo`: a whole line on this machine, checked request by request."""
