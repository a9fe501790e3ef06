"""The contract: the integer definition of the p-bit array.

Everything here is normative. The simulator compiles these functions, the
gateware mirrors them component by component, the host speaks the register map
and the frames. Only numpy and the standard library are imported.
"""

VERSION = 4
"""Version of the array, its register map, its link and its image format."""
