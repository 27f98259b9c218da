"""Write three wide tables of all England, as large as the real ones: `python write_england.py HAMPSHIRE FOLDER`.

The schools of Hampshire's three tables stand there fifty times, each time as those of another authority.
"""

import csv
import sys
from pathlib import Path

TIMES = 50


def write(source: Path, folder: Path) -> None:
    """Write each of the tables in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.glob("*_850_ks2final.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            header, *rows = csv.reader(file)
        at = {name: header.index(name) for name in ("RECTYPE", "LEA", "URN")}
        schools = [row for row in rows if row[at["RECTYPE"]] in ("1", "2")]
        others = [row for row in rows if row[at["RECTYPE"]] not in ("1", "2")]
        with (folder / path.name.replace("_850_", "_england_")).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            for row in schools:
                for time in range(TIMES):
                    row[at["LEA"]], row[at["URN"]] = str(800 + time), f"{time + 10}{row[at['URN']][-5:]}"
                    writer.writerow(row)
            writer.writerows(others)


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]))
    print("{}")
