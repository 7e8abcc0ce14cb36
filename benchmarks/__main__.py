"""`make bench`: measure, and print tables. Ratios within one run are what counts."""

import argparse

from benchmarks import sync


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--people", type=int, nargs="+", default=[100_000, 1_000_000], metavar="N")
    print(sync.report(parser.parse_args().people))


if __name__ == "__main__":
    main()
