"""Time series: CSV files whose first column, or one that is named, is a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from tools.sample_data.workshop import Json, Origin, SampleItem, Workshop


def _place(latitude: float, longitude: float) -> Json:
    return {"site_location": {"latitude": latitude, "longitude": longitude}}


def _bokeh(name: str, licence: str, credit: str, notes: str, more: Json | None = None) -> Origin:
    return Origin(
        "bokeh-sampledata",
        f"bokeh_sampledata/_data/{name}",
        licence,
        credit,
        notes,
        {"subject": "table"} | (more or {}),
    )


def _vega(name: str, credit: str, notes: str, more: Json | None = None) -> Origin:
    return Origin(
        "vega-datasets", f"vega_datasets/_data/{name}", "MIT", credit, notes, {"subject": "table"} | (more or {})
    )


# Licences of bokeh-sampledata are those of its licenses/datasets.json. Origin, and the columns that are drawn.
_SERIES: tuple[tuple[Origin, tuple[str, ...]], ...] = (
    (
        _bokeh("CGM.csv.gz", "Public domain", "", "Blood glucose of one person over months"),
        ("glucose", "isig"),
    ),
    (
        _bokeh("cycling.csv.gz", "CC0-1.0", "", "Heart and road of one bicycle ride"),
        ("altitude", "power", "cadence", "speed"),
    ),
    (
        _bokeh("lincoln_weather.csv", "Public domain", "", "Daily temperatures of 2016", _place(40.7, -96.85)),
        ("TMAX", "TMIN"),
    ),
    (_bokeh("unemployment1948.csv", "Public domain", "US BLS", "Unemployment by month since 1948"), ("Annual",)),
    (
        _bokeh("us_marriages_divorces.csv", "Public domain", "US CDC", "Marriages and divorces since 1867"),
        ("Marriages", "Divorces"),
    ),
    (_vega("seattle-weather.csv", "NOAA", "Four years of weather", _place(47.44, -122.31)), ("temp_max", "wind")),
    (_vega("seattle-temps.csv", "NOAA", "Temperatures by the hour, 2010", _place(47.44, -122.31)), ("temp",)),
    (_vega("sf-temps.csv", "NOAA", "Temperatures by the hour, 2010", _place(37.62, -122.38)), ("temp",)),
    (_vega("us-employment.csv", "US BLS", "Employment by industry"), ("nonfarm", "private")),
    (_vega("iowa-electricity.csv", "US EIA", "Electricity by source, Iowa", _place(42.0, -93.5)), ("net_generation",)),
)


def build_series(shop: Workshop) -> Iterator[SampleItem]:
    """Each series with the settings of its drawn channels."""
    for origin, channels in _SERIES:
        title = origin.member.rsplit("/", 1)[1].removesuffix(".gz")
        content = shop.read(origin.package, origin.member)
        header, rows = table_shape(content)
        if unknown := set(channels) - set(header):
            raise ValueError(f"{title} has no column {', '.join(sorted(unknown))}: the package changed")
        stored = shop.write(f"time_series/{title}", content)
        settings = {"channels": {channel: {"style": "line"} for channel in channels}}
        metadata = shop.metadata(origin, title, rows=rows)
        yield SampleItem("time_series", title, (stored,), metadata, {"settings": settings})


def table_shape(content: bytes) -> tuple[list[str], int]:
    """Column names, and how many rows follow them."""
    reader = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    header = next(reader)
    return header, sum(1 for row in reader if row)
