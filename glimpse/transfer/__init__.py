"""Moving data: `outlet.py` gives out what is stored, `inlet.py` takes rows in, `owner_socket.py` does both for others.

Rule of this package: rows travel as Arrow tables of bounded size, and nobody who reads slowly holds up who writes.
"""

from glimpse.transfer.formats import FORMATS, Format
from glimpse.transfer.inlet import ROWS_A_BITE, Inlet, LocalInlet
from glimpse.transfer.outlet import Flow, LocalOutlet, Outlet
from glimpse.transfer.owner_socket import SOCKET_NAME, OwnerSocket, RemoteInlet, RemoteOutlet
from glimpse.transfer.wanted import Place, Wanted

__all__ = [
    "FORMATS",
    "ROWS_A_BITE",
    "SOCKET_NAME",
    "Flow",
    "Format",
    "Inlet",
    "LocalInlet",
    "LocalOutlet",
    "Outlet",
    "OwnerSocket",
    "Place",
    "RemoteInlet",
    "RemoteOutlet",
    "Wanted",
]
