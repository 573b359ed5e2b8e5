"""One module per instrument family; each imports only `sicmctl.hal`.

A driver class carries `Options`, a pydantic model of its section in rig.toml, and `open`.
"""
