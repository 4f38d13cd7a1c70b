"""What backup, restore and doctor know of a data directory's parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CatalogCopy:
    """A copy of the catalog.

    Attributes:
        seq: the newest change that it holds.
        revision: of its tables.
        object_keys: our own objects that it names, and whether each must be there (an upload may not have come yet).
    """

    seq: int
    revision: str
    object_keys: Mapping[str, bool]


#: Takes the keys of our own objects that a catalog names, and whether each must be there.
Keys = Mapping[str, bool]

#: Copies a catalog, as of one moment, to a path that does not exist, as a SQLite file. The last argument is called with
#: the keys of that moment while nobody can write, so that no object of theirs is deleted yet: it must be quick.
CopyCatalog = Callable[[Path, Callable[[Keys], None]], CatalogCopy]

#: What a copy says of itself.
ReadCopy = Callable[[Path], CatalogCopy]

#: Puts a copy where the catalog is to be, when that is not the data directory: into an empty database.
PlaceCopy = Callable[[Path], object]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be.

    Attributes:
        check: names what was checked.
        message: what is wrong, where.
        mend: what to do.
    """

    check: str
    message: str
    mend: str


class StoredObjects(Protocol):
    """Our own objects, wherever they are kept; changes nothing."""

    @property
    def place(self) -> str:
        """Where they are, in a sentence."""
        ...

    def iter_dated(self) -> Iterator[tuple[str, float]]:
        """Every key, and when it was written (seconds since 1970), in no order.

        Raises:
            NotFound, NotPermitted, Unavailable: the place cannot be looked at.
        """
        ...

    def holds(self, key: str) -> bool:
        """Whether an object is there; raises as `iter_dated`."""
        ...

    def address(self, key: str) -> str:
        """Where an operator finds an object. `removal`: how to remove it."""
        ...

    def removal(self, key: str) -> str: ...


class CatalogChecks(Protocol):
    """Looks at a catalog while others write; changes nothing unless told to mend."""

    @property
    def left_out(self) -> Sequence[str]:
        """What this kind of database has no check for, and who looks after it."""
        ...

    def findings(self) -> Iterator[Finding]:
        """Everything wrong with the database and its rows."""
        ...

    def mend(self) -> None:
        """Writes the folder tree anew from the parents of folders and drops rows of items that are not there.

        Raises:
            Unavailable: the database cannot be written.
        """
        ...

    def object_keys(self) -> dict[str, bool]:
        """Every key of ours that rows name, and whether its object must be there."""
        ...
