"""The virtual laboratory: physics (`world`) and the instruments that measure it (`instruments`).

To the program under test this is the outside world: nothing here imports it.
"""
