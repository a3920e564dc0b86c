"""`make bench`: every measurement, one after the other."""

from bench import numbers

if __name__ == "__main__":
    numbers.main()
