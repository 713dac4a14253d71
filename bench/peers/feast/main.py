"""`python main.py <port> <redis host:port,db=n> <project> <keys file>`: Feast's feature server over its Redis store.

The file has a key a line; each gets a score. What is in Redis goes by itself after an hour.
"""

import sys
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pandas as pd
import uvicorn
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.feature_server import get_app
from feast.types import Float64, String

port, redis, project = int(sys.argv[1]), sys.argv[2], sys.argv[3]
keys = Path(sys.argv[4]).read_text().splitlines()
folder = Path(tempfile.mkdtemp(prefix="freshet-feast-"))

(folder / "feature_store.yaml").write_text(
    f"""
project: {project}
provider: local
registry: {folder}/registry.db
online_store:
  type: redis
  connection_string: {redis}
  key_ttl_seconds: 3600
offline_store:
  type: file
entity_key_serialization_version: 3
"""
)

rows = pd.DataFrame(
    {
        "document": keys,
        "score": [12.345678901234567 + number for number in range(len(keys))],
        "model": ["arrival-delay@1"] * len(keys),
        "event_timestamp": [datetime.now(timezone.utc)] * len(keys),
    }
)
rows.to_parquet(folder / "scores.parquet")

store = FeatureStore(repo_path=str(folder))
document = Entity(name="document", join_keys=["document"], value_type=ValueType.STRING)
scores = FeatureView(
    name="scores",
    entities=[document],
    ttl=timedelta(days=1),
    schema=[Field(name="score", dtype=Float64), Field(name="model", dtype=String)],
    source=FileSource(path=str(folder / "scores.parquet"), timestamp_field="event_timestamp"),
)
store.apply([document, scores])
store.write_to_online_store("scores", rows)

# As `feast serve` does with one worker, less the process above it; the registry is not read again meanwhile.
app = get_app(store, registry_ttl_sec=3_600)
uvicorn.run(app, host="127.0.0.1", port=port, loop="uvloop", http="httptools", access_log=False, log_level="warning")
