"""`make bench`: every measurement, one after the other."""

from bench import isolation, numbers, render

if __name__ == "__main__":
    render.main()
    numbers.main()
    isolation.main()  # last: it divides the cores, and takes half an hour
