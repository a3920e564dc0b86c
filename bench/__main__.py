"""`make bench`: see `bench.results`."""

from bench.results import main

if __name__ == "__main__":
    main()
