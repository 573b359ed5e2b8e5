"""The keys of `scan`: where the tip goes. Coordinates themselves are made by sicmctl.scan."""

from math import radians
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, Strict, model_validator

from sicmctl.hal.quantity import Metres, PositiveMetres, Quantity, Seconds

from .fields import Count, NotEmpty, Pixels, Strictly, Text
from .hop import Hop, Prescan
from .problems import Fault

Angle = Annotated[float, Quantity("rad", low=radians(-360), high=radians(360))]
XY = tuple[Metres, Metres]


_SIZE = PositiveMetres | tuple[PositiveMetres, PositiveMetres]
_PIXELS = Pixels | tuple[Pixels, Pixels]


def _pair(value: Any) -> Any:
    """Let a single value stand for two equal ones."""
    return value if isinstance(value, list | tuple) else (value, value)


class AnyScan(Strictly):
    """What all patterns share."""

    hop: Hop = Field(default_factory=Hop, description="how the tip approaches")
    rest_before: Seconds = Field(default=0.0, description="wait before the scan begins")

    @property
    def endless(self) -> bool:
        """Whether the scan goes on until the echem of its step ends."""
        return False


class Drift(Strictly):
    """How the creep of the sample under the tip is followed."""

    revisit: Annotated[float, Quantity("s", low=1.0)] | None = Field(
        default=None,
        description="return so often to one flat place and take the drift along z, seen there, off "
        "all heights; default: never, for where the sample swells its swelling would go too",
    )


class FrameDrift(Drift):
    """How the creep of the sample under a raster is followed."""

    frames: Annotated[bool, Strict()] = Field(
        default=True,
        description="lay the image upon the one before, if it is of the same area, and move the "
        "next one as the sample crept sideways",
    )


class PointScan(AnyScan):
    """Hop after hop at one point."""

    pattern: Literal["point"] = Field(description="kind of scan")
    x: Metres | None = Field(default=None, description="where; default: middle of the travel")
    y: Metres | None = Field(default=None, description="where; default: middle of the travel")
    repeats: Count | None = Field(default=None, description="how many hops")
    duration: Annotated[float, Quantity("s", positive=True)] | None = Field(
        default=None, description="for how long; default without `repeats`: as long as echem runs"
    )

    @model_validator(mode="after")
    def _ends_once(self) -> Self:
        if self.repeats is not None and self.duration is not None:
            raise Fault("repeats beside it", "either repeats or duration", "duration")
        return self

    @property
    def endless(self) -> bool:
        """Whether the scan goes on until the echem of its step ends."""
        return self.repeats is None and self.duration is None


class LineScan(AnyScan):
    """Points along a straight line, once or again and again in the same direction."""

    pattern: Literal["line"] = Field(description="kind of scan")
    start: XY = Field(description="first point, [x, y]")
    end: XY | None = Field(default=None, description="last point, [x, y]")
    length: PositiveMetres | None = Field(default=None, description="length, instead of `end`")
    angle: Angle | None = Field(default=None, description="direction from +x to +y, with `length`")
    points: Pixels = Field(description="points along the line")
    repeats: Count = Field(default=1, description="how often the line is scanned")
    tilt: Annotated[bool, Strict()] = Field(
        default=False, description="approach at three places first, to know the sample's tilt"
    )
    drift: Drift = Field(default_factory=Drift, description="how the sample's drift is followed")

    @model_validator(mode="after")
    def _has_one_end(self) -> Self:
        if self.end is None and self.length is None:
            raise Fault("neither of both", "end or length")
        if self.end is not None and self.length is not None:
            raise Fault("end beside it", "either end or length", "length")
        if self.end is not None and self.angle is not None:
            raise Fault("end beside it", "an angle only with length", "angle")
        if self.end == self.start:
            raise Fault("the start again", "another point", "end")
        return self


class RasterScan(AnyScan):
    """A rectangle, line by line along x."""

    pattern: Literal["raster"] = Field(description="kind of scan")
    size: (
        Annotated[
            tuple[PositiveMetres, PositiveMetres],
            BeforeValidator(_pair, json_schema_input_type=_SIZE),
        ]
        | None
    ) = Field(default=None, description="side, or [width, height], between the outermost pixels")
    width: PositiveMetres | None = Field(default=None, description="along x, instead of `size`")
    height: PositiveMetres | None = Field(default=None, description="along y, instead of `size`")
    pixels: Annotated[
        tuple[Pixels, Pixels], BeforeValidator(_pair, json_schema_input_type=_PIXELS)
    ] = Field(description="pixels along each side, or [along x, along y]")
    origin: XY | None = Field(default=None, description="corner of least x and y, before rotation")
    centre: XY | None = Field(
        default=None, description="instead of `origin`; default: middle of travel"
    )
    angle: Angle = Field(default=0.0, description="rotation about the origin or the centre")
    mode: Literal["serpentine", "unidirectional"] = Field(
        default="serpentine", description="whether every other line runs backwards"
    )
    prescan: Prescan | None = Field(default=None, description="coarse raster first; default: none")
    tilt: Annotated[bool, Strict()] = Field(
        default=False, description="approach at three places first, to know the sample's tilt"
    )
    drift: FrameDrift = Field(
        default_factory=FrameDrift, description="how the sample's drift is followed"
    )

    @model_validator(mode="after")
    def _has_one_size(self) -> Self:
        sides = (self.width, self.height)
        if self.size is not None and sides != (None, None):
            raise Fault("width or height beside it", "either size, or width and height", "size")
        if self.size is None and None in sides:
            raise Fault("neither of both", "size, or width and height")
        if self.tilt and self.prescan is not None:
            raise Fault("prescan beside it", "either tilt or prescan, which tells it too", "tilt")
        if self.origin is not None and self.centre is not None:
            raise Fault("origin beside it", "either origin or centre", "centre")
        return self

    @property
    def extent(self) -> tuple[float, float]:
        """Width and height, m."""
        return self.size or (self.width or 0.0, self.height or 0.0)


class ListScan(AnyScan):
    """Points one by one, in the order given."""

    pattern: Literal["list"] = Field(description="kind of scan")
    points: Annotated[tuple[XY, ...], NotEmpty] | None = Field(
        default=None, description='[["1 um", "2 um"], ...]'
    )
    file: Text | None = Field(
        default=None,
        description="CSV file with the columns `x (um)` and `y (um)`, beside the experiment",
    )
    drift: Drift = Field(default_factory=Drift, description="how the sample's drift is followed")

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if self.points is None and self.file is None:
            raise Fault("neither of both", "points or file")
        if self.points is not None and self.file is not None:
            raise Fault("points beside it", "either points or file", "file")
        return self


Scan = Annotated[PointScan | LineScan | RasterScan | ListScan, Field(discriminator="pattern")]
