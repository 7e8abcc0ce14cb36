"""`make bench`: measure, and print tables. Ratios within one run are what counts."""

import argparse

from benchmarks import pages, sync


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--people", type=int, nargs="+", default=[100_000, 1_000_000], metavar="N")
    parser.add_argument("--only", choices=["sync", "pages"])
    chosen = parser.parse_args()
    if chosen.only != "pages":
        print(sync.report(chosen.people))
    if chosen.only != "sync":
        print(pages.report(max(chosen.people)))


if __name__ == "__main__":
    main()
