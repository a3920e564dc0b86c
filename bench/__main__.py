"""`make bench`: every measurement, one after the other."""

from bench import numbers, render

if __name__ == "__main__":
    render.main()
    numbers.main()
