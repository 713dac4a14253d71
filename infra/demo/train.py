"""Trains the demo's model and writes its bundle: model/model.onnx, model.json, golden.ndjson.

It predicts the arrival delay in minutes from what is known at departure; a flight that has not left yet has no
dep_delay and is predicted from the rest, so every flight is in the training twice. January to September teach, October
to December test.
"""

import hashlib
import json
from pathlib import Path

import lightgbm as lgb
import numpy as np
import onnxruntime
import pandas as pd
from onnxmltools import convert_lightgbm
from skl2onnx.common.data_types import FloatTensorType

from nycflights import WEATHER, landed_documents, load_flights

TARGET = Path(__file__).parent / "model"
NOT_DEPARTED = -100.0
DEPARTED_WEIGHT = 10.0  # of a departed flight against a scheduled one: most of its delay is known
FACTS_OF_THE_END = ["status", "air_time", "actual_arr_delay"]
GOLDEN_ROWS = 100
TOLERANCE = 1e-4


def main() -> None:
    flights = load_flights().dropna(subset=["arr_delay"])
    seen, unseen = flights[flights["month"] <= 9], flights[flights["month"] > 9]
    columns = input_columns(seen)
    model = train(columns, seen)
    onnx = to_onnx(model, len(columns))
    report = evaluate(model, columns, seen, unseen)
    check_parity(model, onnx, features(columns, both_states(unseen)))
    write_bundle(onnx, columns, report, golden_rows(model, columns, unseen))
    print(json.dumps(report, indent=2))


def input_columns(seen: pd.DataFrame) -> list[dict]:
    """The columns of model.json. Categories stand in the order of their mean delay, so that `code < x` means something."""

    def number(name, path, **missing):
        return {"name": name, "path": path, "type": "number", **missing}

    def category(name):
        by_delay = seen.groupby(name)["arr_delay"].mean().sort_values()
        return {
            "name": name,
            "path": f"/{name}",
            "type": "category",
            "required": True,
            "categories": by_delay.index.tolist(),
            "unknown": -1,
        }

    def departure(part):
        return {
            "name": f"departure_{part}",
            "path": "/scheduled_departure",
            "type": "time",
            "part": part,
            "timeZone": "America/New_York",
            "required": True,
        }

    usual = {"wind_gust": 0.0} | seen[["wind_speed", "precip", "visib", "pressure"]].median().to_dict()
    return [
        number("dep_delay", "/dep_delay", default=NOT_DEPARTED),
        number("scheduled_minutes", "/scheduled_minutes", required=True),
        number("distance", "/distance", required=True),
        category("carrier"),
        category("origin"),
        category("dest"),
        departure("minuteOfDay"),
        departure("weekday"),
        *[number(name, f"/weather/{name}", default=usual[name]) for name in WEATHER if name in usual],
    ]


def both_states(flights: pd.DataFrame) -> pd.DataFrame:
    """Each flight as departed, then each as scheduled."""
    return pd.concat([flights, flights.assign(dep_delay=np.nan)], ignore_index=True)


def features(columns: list[dict], flights: pd.DataFrame) -> np.ndarray:
    """float32, [rows, columns]: what Freshet makes of the documents of these flights."""
    return np.column_stack([feature(column, flights) for column in columns])


def feature(column: dict, flights: pd.DataFrame) -> np.ndarray:
    if column["type"] == "time":
        local = flights["scheduled_departure"].dt.tz_convert(column["timeZone"]).dt
        values = local.day_of_week if column["part"] == "weekday" else local.hour * 60 + local.minute
    elif column["type"] == "category":
        codes = {category: code for code, category in enumerate(column["categories"])}
        values = flights[column["name"]].map(codes).fillna(column["unknown"])
    else:
        values = flights[column["name"]].fillna(column.get("default"))
    return values.to_numpy(dtype=np.float32)


def train(columns: list[dict], seen: pd.DataFrame) -> lgb.LGBMRegressor:
    model = lgb.LGBMRegressor(
        n_estimators=200,
        num_leaves=31,
        learning_rate=0.05,
        min_child_samples=100,
        random_state=13,
        deterministic=True,
        force_row_wise=True,
        n_jobs=1,
        verbose=-1,
    )
    teaching = both_states(seen)
    weights = np.repeat([DEPARTED_WEIGHT, 1.0], len(seen))
    return model.fit(features(columns, teaching), teaching["arr_delay"], sample_weight=weights)


def to_onnx(model: lgb.LGBMRegressor, columns: int) -> bytes:
    onnx = convert_lightgbm(model, "arrival-delay", [("features", FloatTensorType([None, columns]))])
    return onnx.SerializeToString()


def evaluate(model, columns: list[dict], seen: pd.DataFrame, unseen: pd.DataFrame) -> dict:
    departed = model.predict(features(columns, unseen))
    scheduled = model.predict(features(columns, unseen.assign(dep_delay=np.nan)))
    mean = np.full(len(unseen), seen["arr_delay"].mean())
    usual_gain = (seen["dep_delay"] - seen["arr_delay"]).mean()
    return {
        "trainedOn": "2013-01 to 2013-09",
        "heldOut": "2013-10 to 2013-12",
        "heldOutFlights": len(unseen),
        "unit": "minutes",
        "departed": {
            "model": errors(unseen, departed),
            "baseline: the delay at departure": errors(unseen, unseen["dep_delay"]),
            "baseline: the same, less what is usually made up": errors(unseen, unseen["dep_delay"] - usual_gain),
            "baseline: the mean": errors(unseen, mean),
        },
        "scheduled": {"model": errors(unseen, scheduled), "baseline: the mean": errors(unseen, mean)},
    }


def errors(flights: pd.DataFrame, predicted) -> dict:
    error = (flights["arr_delay"] - predicted).to_numpy()
    return {"mae": round(float(np.abs(error).mean()), 2), "rmse": round(float(np.sqrt((error**2).mean())), 2)}


def check_parity(model, onnx: bytes, matrix: np.ndarray) -> None:
    session = onnxruntime.InferenceSession(onnx)
    (answered,) = session.run(None, {"features": matrix})
    expected = model.predict(matrix)
    worst = np.max(np.abs(answered[:, 0] - expected) / np.maximum(1, np.abs(expected)))
    if worst > TOLERANCE:
        raise SystemExit(f"ONNX and LightGBM differ by {worst} on the held-out flights")


def golden_rows(model, columns: list[dict], unseen: pd.DataFrame) -> list[dict]:
    """Documents, every second one before departure, with what LightGBM itself predicts for them."""
    some = unseen.sample(GOLDEN_ROWS, random_state=13).reset_index(drop=True)
    some.loc[some.index % 2 == 1, "dep_delay"] = np.nan
    predicted = model.predict(features(columns, some))
    return [
        {
            "document": {name: value for name, value in document.items() if name not in FACTS_OF_THE_END},
            "outputs": {"arrival_delay_minutes": float(prediction)},
        }
        for (_, document), prediction in zip(landed_documents(some), predicted)
    ]


def write_bundle(onnx: bytes, columns: list[dict], report: dict, golden: list[dict]) -> None:
    spec = {
        "formatVersion": 1,
        "name": "arrival-delay",
        "version": "1",
        "sha256": hashlib.sha256(onnx).hexdigest(),
        "inputs": {"tensor": "features", "columns": columns},
        "outputs": [{"name": "arrival_delay_minutes", "tensor": "variable", "column": 0}],
        "golden": {"tolerance": TOLERANCE},
        "evaluation": report,
    }
    TARGET.mkdir(exist_ok=True)
    (TARGET / "model.onnx").write_bytes(onnx)
    (TARGET / "model.json").write_text(json.dumps(spec, indent=2) + "\n")
    lines = [json.dumps(row, separators=(",", ":")) + "\n" for row in golden]
    (TARGET / "golden.ndjson").write_text("".join(lines))


if __name__ == "__main__":
    main()
