"""`python main.py <port> <model folder>`: POST /v1/predict of one document, by FastAPI and ONNX Runtime."""

import json
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import onnxruntime as ort
import orjson
import uvicorn
from fastapi import FastAPI, Request, Response

PORT, FOLDER = int(sys.argv[1]), Path(sys.argv[2])
SPEC = json.loads((FOLDER / "model.json").read_text())
COLUMNS = {column["name"]: column for column in SPEC["inputs"]["columns"]}
LABEL = f"{SPEC['name']}@{SPEC['version']}"
INPUT = SPEC["inputs"]["tensor"]
OUTPUTS = [SPEC["outputs"][0]["tensor"]]
OUTPUT_COLUMN = SPEC["outputs"][0]["column"]
ZONE = ZoneInfo(COLUMNS["departure_minuteOfDay"]["timeZone"])


def categories(name):
    return {text: float(number) for number, text in enumerate(COLUMNS[name]["categories"])}


CARRIERS, ORIGINS, DESTINATIONS = categories("carrier"), categories("origin"), categories("dest")
DEP_DELAY, WIND_SPEED, WIND_GUST, PRECIP, VISIB, PRESSURE = (
    COLUMNS[name]["default"] for name in ("dep_delay", "wind_speed", "wind_gust", "precip", "visib", "pressure")
)


def session():
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return ort.InferenceSession(FOLDER / "model.onnx", options, providers=["CPUExecutionProvider"])


SESSION = session()


def features(document):
    """By hand and without pydantic: its models would cost more than the rest."""
    weather = document.get("weather") or {}
    departure = datetime.fromisoformat(document["scheduled_departure"]).astimezone(ZONE)
    return (
        document.get("dep_delay", DEP_DELAY),
        document["scheduled_minutes"],
        document["distance"],
        CARRIERS.get(document["carrier"], -1.0),
        ORIGINS.get(document["origin"], -1.0),
        DESTINATIONS.get(document["dest"], -1.0),
        departure.hour * 60 + departure.minute,
        departure.weekday(),
        weather.get("wind_speed", WIND_SPEED),
        weather.get("wind_gust", WIND_GUST),
        weather.get("precip", PRECIP),
        weather.get("visib", VISIB),
        weather.get("pressure", PRESSURE),
    )


app = FastAPI(openapi_url=None)


@app.post("/v1/predict")
async def predict(request: Request) -> Response:
    document = orjson.loads(await request.body())["document"]
    row = np.array([features(document)], dtype=np.float32)
    # On the event loop: one row takes less than handing it to a thread.
    (scores,) = SESSION.run(OUTPUTS, {INPUT: row})
    answer = {"score": float(scores[0, OUTPUT_COLUMN]), "source": "live", "model": LABEL}
    return Response(orjson.dumps(answer), media_type="application/json")


uvicorn.run(app, host="127.0.0.1", port=PORT, loop="uvloop", http="httptools", access_log=False, log_level="warning")
