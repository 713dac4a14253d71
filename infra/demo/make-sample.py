"""Writes data/flights.ndjson.gz: the flights of December 2013, which the model has not seen, one a line."""

import gzip
import io
import json
from pathlib import Path

from nycflights import landed_documents, load_flights

TARGET = Path(__file__).parent / "data" / "flights.ndjson.gz"


def main() -> None:
    flights = load_flights()
    sample = flights[flights["month"] == 12]
    lines = [
        json.dumps({"id": id, "document": document}, separators=(",", ":"))
        for id, document in landed_documents(sample)
    ]
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9, mtime=0) as file:
        file.write(("\n".join(lines) + "\n").encode())
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_bytes(packed.getvalue())
    print(f"{TARGET.name}: {len(lines)} flights, {len(packed.getvalue())} bytes")


if __name__ == "__main__":
    main()
